# The public names, by module: type checkers read them here, and so does `__init__.py`.

from autograd.checking.check import gradcheck as gradcheck
from autograd.checking.report import InputCheck as InputCheck
from autograd.checking.report import Report as Report
from autograd.compiler.compilation import compile as compile
from autograd.compiler.compiled import Compiled as Compiled
from autograd.contexts import no_grad as no_grad
from autograd.debugging import debug as debug
from autograd.domain import FINITE as FINITE
from autograd.domain import NONNEGATIVE as NONNEGATIVE
from autograd.domain import POSITIVE as POSITIVE
from autograd.domain import REAL as REAL
from autograd.domain import UNIT as UNIT
from autograd.domain import Domain as Domain
from autograd.domain import Joint as Joint
from autograd.drawing import draw_dot as draw_dot
from autograd.engine import Value as Value
from autograd.errors import ChainruleError as ChainruleError
from autograd.errors import CompileError as CompileError
from autograd.errors import CycleError as CycleError
from autograd.errors import DivisionByZeroError as DivisionByZeroError
from autograd.errors import DomainError as DomainError
from autograd.errors import ExpressionError as ExpressionError
from autograd.errors import GradientError as GradientError
from autograd.errors import GraphCutWarning as GraphCutWarning
from autograd.errors import MissingExtraError as MissingExtraError
from autograd.errors import RuleError as RuleError
from autograd.errors import StaleValueError as StaleValueError
from autograd.errors import StaleValueWarning as StaleValueWarning
from autograd.extras import missing_extra as missing_extra
from autograd.files import write_whole as write_whole
from autograd.functions import detach as detach
from autograd.functions import dot as dot
from autograd.functions import elu as elu
from autograd.functions import is_compiling as is_compiling
from autograd.functions import leaky_relu as leaky_relu
from autograd.functions import log_softmax as log_softmax
from autograd.functions import logsumexp as logsumexp
from autograd.functions import max as max
from autograd.functions import mean as mean
from autograd.functions import min as min
from autograd.functions import softmax as softmax
from autograd.functions import sum as sum
from autograd.functions import take as take
from autograd.functions import trace as trace
from autograd.modes import scope as scope
from autograd.operation import TABLE as TABLE
from autograd.operation import Op as Op
from autograd.operation import primitive as primitive
from autograd.ops import *
from autograd.ops import abs as abs
from autograd.recurrence import scan as scan
from autograd.stepper import Stepper as Stepper
from autograd.stepping.events import Event as Event
from autograd.transforms import grad as grad
from autograd.transforms import gradients as gradients
from autograd.transforms import hessian as hessian
from autograd.transforms import hvp as hvp
from autograd.transforms import jacobian as jacobian
from autograd.transforms import jvp as jvp
from autograd.transforms import value_and_grad as value_and_grad

# isort: split
# A star import leaves where they are: modules that are public as a whole, what needs an extra,
# and what only nn asks for.
from autograd import drawing as drawing
from autograd.compiler.descent import Descent as Descent
from autograd.compiler.reach import values_within as values_within
from autograd.compiler.undoing import as_it_was as as_it_was
from autograd.contexts import call_in_scopes as call_in_scopes
from autograd.errors import quoted as quoted
from autograd.files import read_regular as read_regular
from autograd.formula import json_data as json_data
from autograd.graph import topological_order as topological_order
from autograd.stepping import breakpoints as breakpoints
from autograd.stepping.notation import counted as counted
from autograd.stepping.notation import padded as padded
from autograd.testing import strategies as strategies
from autograd.tree import nested as nested
from autograd.tree import rectangle as rectangle

__version__: str
