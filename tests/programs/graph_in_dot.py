# the trace() and draw_dot() everybody writes, with the text in place of the picture
class Value:
    def __init__(self, data, _children=(), _op='', label=''):
        self.data = data
        self.grad = 0.0
        self._prev = set(_children)
        self._op = _op
        self.label = label
        self._backward = lambda: None

    def __add__(self, other):
        out = Value(self.data + other.data, (self, other), '+')
        def _backward():
            self.grad += out.grad
            other.grad += out.grad
        out._backward = _backward
        return out

    def __mul__(self, other):
        out = Value(self.data * other.data, (self, other), '*')
        def _backward():
            self.grad += out.grad * other.data
            other.grad += out.grad * self.data
        out._backward = _backward
        return out

    def tanh(self):
        import math
        out = Value(math.tanh(self.data), (self,), 'tanh')
        def _backward():
            self.grad += out.grad * (1 - out.data ** 2)
        out._backward = _backward
        return out

    def backward(self):
        nodes, edges = trace(self)
        waiting = {n: sum(1 for c, p in edges if c is n) for n in nodes}
        self.grad = 1.0
        while waiting:
            n = next(n for n, k in waiting.items() if not k)
            del waiting[n]
            n._backward()
            for c, p in edges:
                if p is n: waiting[c] -= 1

def trace(root):
    nodes, edges = set(), set()
    def build(v):
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                build(child)
    build(root)
    return nodes, edges

# Instead: from autograd import Value

def trace_graph(root):
    nodes, edges = set(), set()
    def build(v):
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                build(child)
    build(root)
    return nodes, edges

def draw_dot(root):
    lines = ['digraph { rankdir=LR']
    nodes, edges = trace_graph(root)
    for n in nodes:
        uid = str(id(n))
        lines.append(f'{uid} [label="{{ %s | data %.4f | grad %.4f }}" shape=record]' % (n.label, n.data, n.grad))
        if n._op:
            lines.append(f'{uid + n._op} [label="{n._op}"]')
            lines.append(f'{uid + n._op} -> {uid}')
    for n1, n2 in edges:
        lines.append(f'{str(id(n1))} -> {str(id(n2)) + n2._op}')
    return lines + ['}']

x1, x2 = Value(2.0, label='x1'), Value(0.5, label='x2')
w1, w2 = Value(-3.0, label='w1'), Value(1.0, label='w2')
b = Value(5.5, label='b')
n = x1 * w1 + x2 * w2 + b
n.label = 'n'
o = (n * n + n).tanh()
o.label = 'o'
o.backward()
dot = draw_dot(o)
print('\n'.join(dot))

shown = sorted(line.split('label=')[1] for line in dot if 'shape=record' in line)
result = {'lines': len(dot), 'arrows': sum('->' in line for line in dot)}
for text in shown:
    words = text.strip('"{} ').split('|')
    result.setdefault(words[0].strip(' {') or 'inner', []).extend(float(w.split()[1]) for w in words[1:])
result['exact'] = [v.grad for v in (x1, w1, x2, w2, b, n)]
