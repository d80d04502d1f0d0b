"""A character model with attention in the smallest number of lines: slots, children, local grads."""
import math
import random


class Value:
    __slots__ = ('data', 'grad', '_children', '_local_grads')

    def __init__(self, data, children=(), local_grads=()):
        self.data = data
        self.grad = 0
        self._children = children
        self._local_grads = local_grads

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, n): return Value(self.data**n, (self,), (n * self.data**(n - 1),))
    def log(self): return Value(math.log(self.data), (self,), (1 / self.data,))
    def exp(self): return Value(math.exp(self.data), (self,), (math.exp(self.data),))
    def relu(self): return Value(max(0, self.data), (self,), (float(self.data > 0),))
    def __neg__(self): return self * -1
    def __radd__(self, other): return self + other
    def __sub__(self, other): return self + (-other)
    def __rsub__(self, other): return other + (-self)
    def __rmul__(self, other): return self * other
    def __truediv__(self, other): return self * other**-1
    def __rtruediv__(self, other): return other * self**-1

    def backward(self):
        topo, visited = [], set()
        def build(v):
            if v not in visited:
                visited.add(v)
                for child in v._children:
                    build(child)
                topo.append(v)
        build(self)
        self.grad = 1
        for v in reversed(topo):
            for child, local in zip(v._children, v._local_grads):
                child.grad += local * v.grad

# Instead: from autograd import Value

random.seed(42)
docs = ['ada', 'bab', 'dad']
chars = sorted(set(''.join(docs)))
BOS = len(chars)
vocab_size = len(chars) + 1
n_embd, n_head, block_size = 4, 2, 4
head_dim = n_embd // n_head

matrix = lambda nout, nin: [[Value(random.gauss(0, 0.3)) for _ in range(nin)] for _ in range(nout)]
state = {'wte': matrix(vocab_size, n_embd), 'wpe': matrix(block_size, n_embd), 'head': matrix(vocab_size, n_embd)}
for name in ('wq', 'wk', 'wv', 'wo'):
    state[name] = matrix(n_embd, n_embd)
state['fc1'] = matrix(2 * n_embd, n_embd)
state['fc2'] = matrix(n_embd, 2 * n_embd)
params = [p for mat in state.values() for row in mat for p in row]

def linear(x, w):
    return [sum(wi * xi for wi, xi in zip(wo, x)) for wo in w]

def softmax(logits):
    max_val = max(val.data for val in logits)
    exps = [(val - max_val).exp() for val in logits]
    total = sum(exps)
    return [e / total for e in exps]

def rmsnorm(x):
    ms = sum(xi * xi for xi in x) / len(x)
    scale = (ms + 1e-5) ** -0.5
    return [xi * scale for xi in x]

def gpt(token, pos, keys, values):
    x = [t + p for t, p in zip(state['wte'][token], state['wpe'][pos])]
    x = rmsnorm(x)
    skip = x
    x = rmsnorm(x)
    q, k, v = (linear(x, state[w]) for w in ('wq', 'wk', 'wv'))
    keys.append(k)
    values.append(v)
    heads = []
    for h in range(n_head):
        s = slice(h * head_dim, (h + 1) * head_dim)
        qh, kh, vh = q[s], [k[s] for k in keys], [v[s] for v in values]
        att = softmax([sum(a * b for a, b in zip(qh, kt)) / head_dim**0.5 for kt in kh])
        heads.extend(sum(a * vt[j] for a, vt in zip(att, vh)) for j in range(head_dim))
    x = [a + b for a, b in zip(linear(heads, state['wo']), skip)]
    skip = x
    x = linear(rmsnorm(x), state['fc1'])
    x = [xi.relu() for xi in x]
    x = [a + b for a, b in zip(linear(x, state['fc2']), skip)]
    return linear(x, state['head'])

lr, beta1, beta2, eps = 0.02, 0.85, 0.99, 1e-8
m = [0.0] * len(params)
v = [0.0] * len(params)
history = []
for step in range(3):
    tokens = [BOS] + [chars.index(ch) for ch in docs[step % len(docs)]] + [BOS]
    n = min(block_size, len(tokens) - 1)
    keys, values, losses = [], [], []
    for pos in range(n):
        probs = softmax(gpt(tokens[pos], pos, keys, values))
        losses.append(-probs[tokens[pos + 1]].log())
    loss = (1 / n) * sum(losses)
    loss.backward()
    if step == 0:
        first = [p.grad for p in params[::7]]
    lr_t = lr * (1 - step / 3)
    for i, p in enumerate(params):
        m[i] = beta1 * m[i] + (1 - beta1) * p.grad
        v[i] = beta2 * v[i] + (1 - beta2) * p.grad**2
        m_hat = m[i] / (1 - beta1**(step + 1))
        v_hat = v[i] / (1 - beta2**(step + 1))
        p.data -= lr_t * m_hat / (v_hat**0.5 + eps)
        p.grad = 0
    history.append(loss.data)
    print(f'step {step + 1} | loss {loss.data:.4f}')

result = {'loss': history, 'first': first, 'params': [p.data for p in params[::5]]}
