# The public names, by module: type checkers read them here, and so does `__init__.py`.

from nn import callbacks as callbacks
from nn import clip as clip
from nn import data as data
from nn import hygiene as hygiene
from nn import init as init
from nn import losses as losses
from nn import metrics as metrics
from nn import optim as optim
from nn import plots as plots
from nn import schedules as schedules
from nn import state as state
from nn import tables as tables
from nn.attention import CausalSelfAttention as CausalSelfAttention
from nn.clip import clip_grad_norm as clip_grad_norm
from nn.clip import clip_grad_value as clip_grad_value
from nn.composition import Residual as Residual
from nn.composition import Sequential as Sequential
from nn.filters import Dropout as Dropout
from nn.filters import Standardize as Standardize
from nn.gpt import GPT as GPT
from nn.gpt import Block as Block
from nn.gpt import generate as generate
from nn.gpt import next_token_loss as next_token_loss
from nn.history import History as History
from nn.layers import MLP as MLP
from nn.layers import Layer as Layer
from nn.layers import Neuron as Neuron
from nn.linear import Embedding as Embedding
from nn.linear import Linear as Linear
from nn.module import Module as Module
from nn.norms import LayerNorm as LayerNorm
from nn.norms import RMSNorm as RMSNorm
from nn.state import load as load
from nn.state import save as save
from nn.training.epochs import fit as fit
from nn.training.minimization import minimize as minimize

# isort: split
# A star import leaves where it is what needs an extra.
from nn import estimators as estimators
