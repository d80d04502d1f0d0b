# word2vec: skip-gram with negative sampling
import math, random
class V:
  def __init__(s,d,c=(),b=None): s.data=d; s.c=c; s.b=b; s.grad=0.
  def __add__(s,o):
    o=o if isinstance(o,V) else V(o)
    return V(s.data+o.data,(s,o),lambda g:(g,g))
  def __mul__(s,o):
    o=o if isinstance(o,V) else V(o)
    return V(s.data*o.data,(s,o),lambda g:(g*o.data,g*s.data))
  def sigmoid(s):
    y=1/(1+math.exp(-s.data))
    return V(y,(s,),lambda g:(g*y*(1-y),))
  def log(s): return V(math.log(s.data),(s,),lambda g:(g/s.data,))
  def __neg__(s): return s*-1
  def __sub__(s,o): return s+-o
  def __rsub__(s,o): return -s+o
  __radd__=__add__; __rmul__=__mul__
  def backward(s):
    t=[];seen=set()
    def r(n):
      if n in seen: return
      seen.add(n)
      for m in n.c: r(m)
      t.append(n)
    r(s); s.grad=1.
    while t:
      n=t.pop()
      if n.b:
        for m,g in zip(n.c,n.b(n.grad)): m.grad+=g

# Instead: from autograd import Value as V

text="the cat sat on the mat the dog sat on the rug".split()
words=sorted(set(text)); W={w:i for i,w in enumerate(words)}
random.seed(0)
dim=3
center=[[V(random.uniform(-.5,.5)) for _ in range(dim)] for _ in words]
context=[[V(random.uniform(-.5,.5)) for _ in range(dim)] for _ in words]
dot=lambda a,b: sum(x*y for x,y in zip(a,b))
pairs=[(W[text[i]],W[text[j]]) for i in range(len(text)) for j in (i-1,i+1) if 0<=j<len(text)]
log=[]
for epoch in range(2):
  total=0.
  for c,o in pairs:
    neg=[n for n in random.sample(range(len(words)),2) if n!=o]
    loss=-dot(center[c],context[o]).sigmoid().log()
    for n in neg: loss=loss-(1-dot(center[c],context[n]).sigmoid()).log()
    loss.backward()
    for row in [center[c],context[o]]+[context[n] for n in neg]:
      for p in row: p.data-=.1*p.grad; p.grad=0.
    total+=loss.data
  log.append(total/len(pairs))
result=log+[p.data for m in (center,context) for row in m for p in row]
