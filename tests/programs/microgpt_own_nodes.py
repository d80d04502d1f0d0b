# Local gradients given by hand: nodes that the class has no method for.
import math


class Value:
    __slots__ = "data", "grad", "children", "slopes"

    def __init__(self, data, children=(), slopes=()):
        self.data = data
        self.grad = 0.0
        self.children = children
        self.slopes = slopes

    def __add__(self, o):
        o = Value(o) if not isinstance(o, Value) else o
        return Value(self.data + o.data, (self, o), (1.0, 1.0))

    def __mul__(self, o):
        o = Value(o) if not isinstance(o, Value) else o
        return Value(self.data * o.data, (self, o), (o.data, self.data))

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        # Kahn: count how often a node is still awaited
        waiting = {}
        todo = [self]
        while todo:
            for c in todo.pop().children:
                if c not in waiting:
                    waiting[c] = 0
                    todo.append(c)
                waiting[c] += 1
        self.grad = 1.0
        ready = [self]
        while ready:
            v = ready.pop()
            for c, s in zip(v.children, v.slopes):
                c.grad += s * v.grad
                waiting[c] -= 1
                if not waiting[c]:
                    ready.append(c)

# Instead: from autograd import Value

def log(p): return Value(math.log(p.data), (p,), (1 / p.data,))
def exp(p): return Value(math.exp(p.data), (p,), (math.exp(p.data),))
def div(a, b): return Value(a.data / b.data, (a, b), (1 / b.data, -a.data / b.data**2))
def logsumexp(xs):
    top = max(x.data for x in xs)
    total = sum(math.exp(x.data - top) for x in xs)
    return Value(top + math.log(total), tuple(xs), tuple(math.exp(x.data - top) / total for x in xs))

logits = [Value(x) for x in (0.3, -1.2, 2.5, 0.9)]
exps = [exp(l) for l in logits]
total = sum(exps[1:], exps[0])
probs = [div(e, total) for e in exps]
loss = log(probs[1]) * -1
loss.backward()
result = {"loss": loss.data, "grads": [l.grad for l in logits], "probs": [p.data for p in probs]}

fused = [Value(x) for x in (0.3, -1.2, 2.5, 0.9)]
again = logsumexp(fused) + fused[1] * -1
again.backward()
result["fused"] = [again.data] + [l.grad for l in fused]

p1, p2 = Value(4.0), Value(5.0)
area = Value(20.0, (p1, p2), (5.0, 4.0))
both = area * area + p1
both.backward()
result["area"] = [both.data, p1.grad, p2.grad, area.grad]
