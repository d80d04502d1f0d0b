# prints everything on the way; what is read back from the text is what counts
import re


class Value:
    def __init__(self, data, _children=(), label=''):
        self.data = data
        self.grad = 0.0
        self.label = label
        self._children = _children

    def __repr__(self):
        name = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self.data}, grad={self.grad}{name})"

    def __format__(self, spec):
        return format(self.data, spec) if spec else repr(self)


    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, ((self, other.data), (other, self.data)))

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        line, i = [self], 0
        while i < len(line):
            line.extend(c for c, _ in line[i]._children)
            i += 1
        last = {v: k for k, v in enumerate(line)}
        ready = sorted(last, key=last.get)
        self.grad = 1.0
        for v in ready:
            for c, d in v._children:
                c.grad += v.grad * d

# Instead: from autograd import Value

a = Value(2.0, label='a')
b = Value(-0.375, label='b')
c = a * b + 3 * a
c.label = 'c'
c.backward()
lines = [repr(a), str(b), f'{c}', '%s' % c, 'weights: ' + ', '.join(map(str, [a, b])), str([a, b]), str({'a': a})]
lines += [f'{c:.3f}', f'{a.data:8.4f}|{a.grad:+.2e}', '%.2f %g' % (c.data, b.grad), '{:>10.3f}'.format(c), f'{b.data!r}']
lines += [str(float(a.data)), f'{b:.1%}', 'b = {b.data}, {b.label}'.format(b=b)]
for line in lines:
    print(line)

numbers = [[float(x) for x in re.findall(r'[-+]?\d+\.?\d*(?:e[-+]\d+)?', line)] for line in lines]
result = numbers + [len(line) for line in lines]
