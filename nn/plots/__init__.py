"""Pictures of a training, its gradients, weights and decision boundaries; written or shown."""

from nn.plots.boundary import decision_boundary
from nn.plots.pictures import gradient_by_depth, gradient_flow, loss_curve, weight_images

__all__ = [
    "decision_boundary",
    "gradient_by_depth",
    "gradient_flow",
    "loss_curve",
    "weight_images",
]
