/* The engine's nodes in C: the same numbers, graphs and errors as in Python, several times faster.

   `autograd.engine` is the reference, and is whole without this file. What is done here: the node,
   an op recorded on nodes and plain numbers, the order of a walk, and the backward pass. The rows'
   forwards and derivatives are generated from the table (`autograd.compiler.rows`). All else is
   handed over to the Python code: debugging, tracing, results that aren't finite, numbers that are
   no floats, rows of a user, nodes built by hand.

   Nodes are not tracked by Python's gc: an argument is older than its node, so that they form no
   cycles. Those that a user builds by hand are, as a function of his may refer to them; and from
   when on he gives one to a node that was recorded, all are. That first one may never be freed. */

#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <math.h>
#include <structmember.h>

#pragma GCC diagnostic ignored "-Wunused-parameter" /* the signatures are Python's */

#define INLINED static inline __attribute__((always_inline)) /* for each row by itself */

enum { ANY_NUMBER = -1, PATTERNS = 16, ON_STACK = 64, MOST_WEIGHTS = 1024, MOST_SPARE = 1 << 17 };

typedef struct Node Node;

typedef double (*Forward)(const double *x, Py_ssize_t n);

/* Adds to the grads of a node's arguments; returns whether the Python code must instead, and then
   has done nothing. */
typedef int (*Pull)(const Node *node);

typedef struct { /* a row of the table, as it is generated */
    const char *name;
    int arity; /* or ANY_NUMBER */
    Forward forward;
    Pull pulls[PATTERNS]; /* by the pattern of the arguments */
} Row;

typedef struct { /* the base of `Op` */
    PyObject_HEAD
    const Row *row; /* NULL if only Python has it */
} Op;

typedef struct { /* the base of `Mode` */
    PyObject_HEAD
    PyObject *origin;
    int way; /* of these */
} Mode;

enum { AS_NODE, AS_LEAF, BY_PYTHON };

struct Node { /* what a walk reads comes first, on one line of the cache */
    PyObject_HEAD
    uint64_t bits;     /* those below, and over them how many nodes had been made */
    Op *op;            /* NULL for a leaf */
    PyObject *a, *b;   /* as in Python; NULL is none */
    union {
        double grad;
        Node *next; /* of those that wait for being freed, or used again */
    };
    double data;
    PyObject *origin;  /* NULL is None; or a dict of what few nodes have */
};

enum {
    MADE = 1 << 0,   /* it has a _mark, be it None */
    RARE = 1 << 1,   /* there is a dict in place of the origin; in it may be */
    ODD_DATA = 1 << 2, ODD_GRAD = 1 << 3, LABELLED = 1 << 4, MARKED = 1 << 5, /* numbers that are
                                     no floats, the label, the _mark if it isn't that of a pass */
    OPEN = 1 << 6, DONE = 1 << 7, /* where a walk is with it */
    TRACKED = 1 << 8,             /* by gc */
    PATTERN = 1 << 9,             /* which of a row's arguments are nodes: bits after a first 1;
                                     0 if there may be any number of them */
    AGE = PATTERN * PATTERNS,
};

static int tracks_all;
static uint64_t clock_of_nodes;
static PyTypeObject *op_type, *value_type;
static Py_ssize_t items_at = sizeof(PyVarObject); /* where a tuple has its items */

static PyObject *operate, *form_of, *mode_variable; /* what the Python code has given */
static PyObject *op_name, *pattern_name; /* of attributes that are read for each node it records */

static int is_node(PyObject *x) {
    return Py_TYPE(x) == value_type;
}

/* Of one that is known to be a tuple, or a float; calls would take longer than what is computed. */
static inline PyObject **items_of(PyObject *tuple) {
    return (PyObject **)((char *)tuple + items_at);
}

static inline double number_in(PyObject *x) {
    return *(double *)(x + 1);
}

/* Finds a node's arguments, and returns how many there are. */
static inline Py_ssize_t arguments_of(const Node *node, PyObject *const **args) {
    *args = &node->a;
    if (!node->op || !node->a)
        return 0;
    if (!PyTuple_CheckExact(node->a))
        return node->b ? 2 : 1;
    *args = items_of(node->a);
    return Py_SIZE(node->a);
}

/* Every CPython exports it, though the limited API leaves it out. */
extern int PyContextVar_Get(PyObject *variable, PyObject *otherwise, PyObject **value);

/* Borrowed of the context, so until other code runs. */
static inline Mode *current_mode(void) {
    PyObject *mode = NULL;
    if (!mode_variable)
        PyErr_SetString(PyExc_RuntimeError, "autograd has not been loaded to its end");
    else if (PyContextVar_Get(mode_variable, NULL, &mode) < 0)
        return NULL;
    Py_XDECREF(mode);
    return (Mode *)mode;
}

/* Returns what the Python code of this name gives, for which the one here stands in. */
static PyObject *by_python(PyObject *self, const char *name, PyObject *args, PyObject *kwargs) {
    PyObject *method = PyObject_GetAttrString(self, name);
    PyObject *result = method ? PyObject_Call(method, args, kwargs) : NULL;
    Py_XDECREF(method);
    return result;
}

/* The life of a node */

static Node *spare; /* of these, with the references to their type */
static int spares;

/* Returns a node with nothing in it. */
static inline Node *blank(int is_tracked) {
    Node *node = spare;
    if (is_tracked)
        node = (Node *)PyType_GenericAlloc(value_type, 0);
    else if (node) {
        spare = node->next;
        __builtin_prefetch(spare, 1);
        spares--;
        Py_SET_REFCNT((PyObject *)node, 1);
    } else if ((node = PyObject_Malloc(sizeof(Node))))
        PyObject_Init((PyObject *)node, value_type);
    if (!node)
        return (Node *)PyErr_NoMemory();
    node->data = node->grad = 0.0;
    node->op = NULL;
    node->a = node->b = node->origin = NULL;
    node->bits = (clock_of_nodes += AGE) | (is_tracked ? TRACKED : 0);
    return node;
}

/* More than a number and a label is needed to build a node by hand, which gc has to know. */
static int is_by_hand(PyObject *args, PyObject *kwargs) {
    Py_ssize_t n = Py_SIZE(args);
    return kwargs || !n || n > 2 || (n == 2 && !PyUnicode_CheckExact(items_of(args)[1]));
}

static PyObject *node_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    return (PyObject *)blank(tracks_all || is_by_hand(args, kwargs));
}

static int node_clear(PyObject *self) {
    Node *node = (Node *)self;
    node->bits &= ~RARE;
    Py_CLEAR(node->origin);
    Py_CLEAR(node->op);
    Py_CLEAR(node->a);
    Py_CLEAR(node->b);
    return 0;
}

/* Returns whether an empty node is kept for being used again. */
static inline int is_kept(Node *node) {
    if (node->bits & TRACKED || spares == MOST_SPARE)
        return 0;
    node->next = spare;
    spare = node;
    spares++;
    return 1;
}

static Node *waiting; /* to be freed */
static int is_freeing;

/* What a node holds is freed after it and not inside of it: a chain may be of any length. */
static void node_dealloc(PyObject *self) {
    Node *node = (Node *)self;
    if (!node->op && !node->a && !node->origin && is_kept(node))
        return;
    if (node->bits & TRACKED)
        PyObject_GC_UnTrack(self);
    node->next = waiting;
    waiting = node;
    __builtin_prefetch(node->a, 1);
    __builtin_prefetch(node->b, 1);
    if (is_freeing)
        return;
    is_freeing = 1;
    while ((node = waiting)) {
        waiting = node->next;
        node_clear((PyObject *)node);
        if (is_kept(node))
            continue;
        (node->bits & TRACKED ? PyObject_GC_Del : PyObject_Free)(node);
        Py_DECREF((PyObject *)value_type);
    }
    is_freeing = 0;
}

static int node_traverse(PyObject *self, visitproc visit, void *arg) {
    Node *node = (Node *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT((PyObject *)node->op);
    Py_VISIT(node->a);
    Py_VISIT(node->b);
    Py_VISIT(node->origin);
    return 0;
}

static int is_tracked(PyObject *self) {
    return (((Node *)self)->bits & TRACKED) != 0;
}

/* What an argument is */

enum { FLOAT = 0, NODE = 1, INT = 2, OTHERWISE = ODD_DATA }; /* a node may be TRACKED, too */

static inline int number_of(PyObject *arg, double *x) {
    if (is_node(arg)) {
        *x = ((Node *)arg)->data;
        return NODE | (((Node *)arg)->bits & (ODD_DATA | TRACKED));
    }
    if (PyFloat_CheckExact(arg)) {
        *x = number_in(arg);
        return FLOAT;
    }
    *x = PyLong_CheckExact(arg) ? PyLong_AsDouble(arg) : NAN;
    if (*x != -1.0 || !PyErr_Occurred())
        return isnan(*x) ? OTHERWISE : INT;
    PyErr_Clear(); /* it is too large: Python words the error */
    return OTHERWISE;
}

INLINED PyObject *applied(int row, PyObject *const *args, Py_ssize_t n);

#include "_rows.h"

/* Its attributes */

typedef struct {
    const char *name;
    uint64_t bit;    /* set if the dict has it */
    size_t at;       /* where else it is, if a number; */
    PyObject *usual; /* or what else it is */
} Field;

static Field data_field = {"data", ODD_DATA, offsetof(Node, data), NULL};
static Field grad_field = {"grad", ODD_GRAD, offsetof(Node, grad), NULL};
static Field label_field = {"label", LABELLED, 0, NULL};
static Field mark_field = {"_mark", MARKED, 0, Py_None};
static Field origin_field = {"origin", RARE, 0, Py_None};

/* Returns what few nodes have, borrowed; NULL if this one hasn't. */
static PyObject *rare(const Node *node, const char *name) {
    return node->bits & RARE ? PyDict_GetItemString(node->origin, name) : NULL;
}

static int set_rare(Node *node, const char *name, PyObject *value) {
    if (!(node->bits & RARE)) {
        PyObject *dict = Py_BuildValue("{sO}", "origin", node->origin ? node->origin : Py_None);
        if (!dict)
            return -1;
        Py_CLEAR(node->origin);
        node->origin = dict;
        node->bits |= RARE;
    }
    return PyDict_SetItemString(node->origin, name, value);
}

static PyObject *get(PyObject *self, void *closure) {
    const Field *field = closure;
    PyObject *held = ((Node *)self)->bits & field->bit ? rare((Node *)self, field->name) : NULL;
    if (!held && field->at)
        return PyFloat_FromDouble(*(double *)((char *)self + field->at));
    if (field == &origin_field && !(((Node *)self)->bits & RARE))
        held = ((Node *)self)->origin;
    return Py_NewRef(held ? held : field->usual);
}

static int set(PyObject *self, PyObject *value, void *closure) {
    const Field *field = closure;
    Node *node = (Node *)self;
    int is_usual = value && (field->at ? PyFloat_CheckExact(value) : value == field->usual);
    if (!value)
        PyErr_SetString(PyExc_AttributeError, "what a node holds can't be deleted");
    if (!value || (!is_usual && set_rare(node, field->name, value)))
        return -1;
    if (is_usual && field->at)
        *(double *)((char *)self + field->at) = number_in(value);
    node->bits = MADE | (is_usual ? node->bits & ~field->bit : node->bits | field->bit);
    return 0;
}

static PyObject *get_mark(PyObject *self, void *unused) {
    Node *node = (Node *)self;
    if (!(node->bits & MADE))
        return PyErr_Format(PyExc_AttributeError, "_mark");
    PyObject *mark = node->bits & MARKED ? rare(node, "_mark") : Py_None;
    return Py_NewRef(mark ? mark : Py_True); /* of a pass */
}

static int set_origin(PyObject *self, PyObject *value, void *unused) {
    Node *node = (Node *)self;
    PyObject *old = node->origin;
    if (node->bits & RARE)
        return set_rare(node, "origin", value ? value : Py_None);
    node->origin = value == Py_None ? NULL : Py_XNewRef(value);
    Py_XDECREF(old);
    return 0;
}

static PyObject *get_age(PyObject *self, void *unused) {
    return PyFloat_FromDouble((double)(((Node *)self)->bits / AGE));
}

static int set_age(PyObject *self, PyObject *value, void *unused) {
    uint64_t *bits = &((Node *)self)->bits;
    *bits = *bits % AGE + (clock_of_nodes += AGE); /* by the clock here, which is the finer one */
    return 0;
}

static PyObject *get_args(PyObject *self, void *unused) {
    PyObject *const *args;
    Py_ssize_t n = arguments_of((Node *)self, &args);
    PyObject *tuple = n > 2 ? Py_NewRef(((Node *)self)->a) : PyTuple_New(n);
    for (Py_ssize_t i = 0; tuple && i < n && n < 3; i++)
        PyTuple_SetItem(tuple, i, Py_NewRef(args[i]));
    return tuple;
}

/* Returns what the Python code has to know of how a node was computed. */
static PyObject *get_form(PyObject *self, void *unused) {
    static PyObject *kept[ROW_COUNT][PATTERNS];
    Op *op = ((Node *)self)->op;
    uint64_t pattern = ((Node *)self)->bits / PATTERN % PATTERNS;
    PyObject **place = op && op->row && pattern ? &kept[op->row - ROWS][pattern] : NULL;
    if (!op || (place && *place))
        return Py_NewRef(op ? *place : Py_None);
    PyObject *args = get_args(self, NULL);
    PyObject *form = args ? PyObject_CallFunctionObjArgs(form_of, op, args, NULL) : NULL;
    if (place)
        *place = Py_XNewRef(form);
    Py_XDECREF(args);
    return form;
}

/* It is set after the arguments: from it on they are known to be one, or more. */
static int set_form(PyObject *self, PyObject *form, void *unused) {
    Node *node = (Node *)self;
    PyObject *old = (PyObject *)node->op, *op = NULL;
    unsigned pattern = 1;
    if (form && form != Py_None) {
        op = PyObject_GetAttr(form, op_name);
        PyObject *are_nodes = op ? PyObject_GetAttr(form, pattern_name) : NULL;
        if (!are_nodes || !PyTuple_Check(are_nodes) || !PyObject_TypeCheck(op, op_type)) {
            PyErr_SetString(PyExc_TypeError, "the _form of a node is a Form, or None");
            Py_XDECREF(are_nodes);
            Py_XDECREF(op);
            return -1;
        }
        const Row *row = ((Op *)op)->row;
        Py_ssize_t n = Py_SIZE(are_nodes);
        for (Py_ssize_t i = 0; i < n && row && row->arity == n; i++)
            pattern = 2 * pattern + (items_of(are_nodes)[i] == Py_True);
        if (n == 1)
            Py_CLEAR(node->b);
        Py_DECREF(are_nodes);
    }
    if (old && op && !(node->bits & TRACKED))
        tracks_all = 1; /* a row gives way to a user's function */
    node->op = (Op *)op;
    node->bits = (node->bits & ~(AGE - PATTERN)) | (pattern > 1 ? pattern * PATTERN : 0);
    Py_XDECREF(old);
    return 0;
}

/* A new leaf of a float; else as Python has it. */
static int node_init(PyObject *self, PyObject *args, PyObject *kwargs) {
    Node *node = (Node *)self;
    Mode *mode = current_mode();
    if (mode && mode->way != BY_PYTHON && !(node->bits & MADE) && !is_by_hand(args, kwargs)
        && PyFloat_CheckExact(items_of(args)[0])) {
        node->data = number_in(items_of(args)[0]);
        node->bits |= MADE;
        return Py_SIZE(args) > 1 ? set(self, items_of(args)[1], &label_field) : 0;
    }
    PyObject *done = mode ? by_python(self, "_init", args, kwargs) : NULL;
    Py_XDECREF(done);
    return done ? 0 : -1;
}

static PyGetSetDef node_getset[] = {
    {"args", get_args, NULL, NULL, NULL},
    {"data", get, set, NULL, &data_field},
    {"grad", get, set, NULL, &grad_field},
    {"label", get, set, NULL, &label_field},
    {"_mark", get_mark, set, NULL, &mark_field},
    {"origin", get, set_origin, NULL, &origin_field},
    {"_age", get_age, set_age, NULL, NULL},
    {"_form", get_form, set_form, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef node_members[] = {
    {"op", T_OBJECT, offsetof(Node, op), READONLY, NULL},
    {"_a", T_OBJECT, offsetof(Node, a), 0, NULL},
    {"_b", T_OBJECT, offsetof(Node, b), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

/* Recording */

static Op *ops[ROW_COUNT]; /* of the rows, in Python */

/* Returns what a node keeps of an argument of this number: an int as a float. */
static inline PyObject *kept(PyObject *arg, double x) {
    return PyLong_CheckExact(arg) ? PyFloat_FromDouble(x) : Py_NewRef(arg);
}

/* Returns the node of what has been computed; NULL without an error in a mode for Python. */
INLINED PyObject *made(int row, PyObject *const *args, const double *x, Py_ssize_t n,
                       PyObject *whole, int kinds, unsigned pattern, double data) {
    Mode *mode = current_mode();
    Node *node = mode && mode->way != BY_PYTHON ? blank(tracks_all) : NULL;
    if (!node)
        return NULL;
    node->data = data;
    node->bits |= MADE;
    node->origin = mode->origin == Py_None ? NULL : Py_NewRef(mode->origin);
    if (mode->way == AS_LEAF)
        return (PyObject *)node;
    node->bits |= ROWS[row].arity == ANY_NUMBER ? 0 : pattern * PATTERN;
    node->op = (Op *)Py_NewRef((PyObject *)ops[row]);
    int is_whole = whole && !(kinds & INT);
    node->a = n < 3 ? kept(args[0], x[0]) : is_whole ? Py_NewRef(whole) : PyTuple_New(n);
    node->b = n == 2 ? kept(args[1], x[1]) : NULL;
    PyObject **items = n > 2 && node->a ? items_of(node->a) : NULL;
    for (Py_ssize_t i = 0; items && !is_whole && i < n; i++)
        items[i] = kept(args[i], x[i]);
    if (items && !(kinds & TRACKED))
        PyObject_GC_UnTrack(node->a); /* gc would do so itself, once it has looked at each item */
    if (node->a && (node->b || n != 2))
        return (PyObject *)node;
    Py_DECREF((PyObject *)node);
    return NULL;
}

/* Returns a row of nodes and plain numbers; NULL, maybe without an error, where Python must.
   `whole` is the tuple of more than two. */
INLINED PyObject *recorded(int row, PyObject *const *args, Py_ssize_t n, PyObject *whole) {
    double on_stack[ON_STACK], *x = on_stack;
    if (n > ON_STACK && !(x = PyMem_Malloc((size_t)n * sizeof(double))))
        return PyErr_NoMemory();
    unsigned pattern = 1;
    int kinds = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        int kind = number_of(args[i], &x[i]);
        kinds |= kind;
        pattern = 2 * pattern + (kind & NODE);
    }
    double data = kinds & OTHERWISE ? NAN : ROWS[row].forward(x, n);
    PyObject *result = NULL;
    if (isfinite(data) && kinds & NODE)
        result = made(row, args, x, n, whole, kinds, pattern, data);
    else if (isfinite(data))
        result = PyFloat_FromDouble(data);
    if (n > ON_STACK)
        PyMem_Free(x);
    return result;
}

/* An operator, or a method. */
INLINED PyObject *applied(int row, PyObject *const *args, Py_ssize_t n) {
    PyObject *node = recorded(row, args, n, NULL);
    if (node || PyErr_Occurred())
        return node;
    return PyObject_CallFunctionObjArgs(operate, ops[row], args[0], n > 1 ? args[1] : NULL, NULL);
}

/* In place of `Op.__call__`: that one, unless it is one of the rows here, of nodes and numbers. */
static PyObject *call(PyObject *op, PyObject *args, PyObject *kwargs) {
    const Row *row = ((Op *)op)->row;
    Py_ssize_t n = Py_SIZE(args);
    if (row && !kwargs && n && (row->arity == n || row->arity == ANY_NUMBER)) {
        PyObject *result = recorded((int)(row - ROWS), items_of(args), n, args);
        if (result || PyErr_Occurred())
            return result;
    }
    return by_python(op, "_call", args, kwargs);
}

/* Finds the items of a list or a tuple; returns how many there are. */
static Py_ssize_t items_in(PyObject *x, PyObject ***items) {
    *items = PyTuple_CheckExact(x) ? items_of(x) : NULL;
    if (PyList_CheckExact(x))
        *items = *(PyObject ***)((PyVarObject *)x + 1);
    return *items ? Py_SIZE(x) : 0;
}

/* `op(*weights, *inputs, bias)` of lists or tuples of one length; None where Python must. */
static PyObject *weighted(PyObject *module, PyObject *const *given, Py_ssize_t count) {
    PyObject *args[2 * MOST_WEIGHTS + 1], **weights, **inputs;
    Py_ssize_t n = count == 4 ? items_in(given[1], &weights) : 0;
    if (!n || n > MOST_WEIGHTS || n != items_in(given[2], &inputs))
        Py_RETURN_NONE;
    for (Py_ssize_t i = 0; i < n; i++)
        args[i] = weights[i], args[n + i] = inputs[i];
    args[2 * n] = given[3];
    /* What gc runs might change the lists, which alone hold the items until the node does. */
    int row = (int)(((Op *)given[0])->row - ROWS), has_gc = PyGC_Disable();
    PyObject *result = recorded(row, args, 2 * n + (given[3] != Py_None), NULL);
    if (has_gc)
        PyGC_Enable();
    return result || PyErr_Occurred() ? result : Py_NewRef(Py_None);
}

/* The order of a walk, as `autograd.graph` has it */

typedef struct {
    Node **items;
    Py_ssize_t used, size;
} Stack;

static inline int push(Stack *stack, PyObject *node) {
    if (stack->used == stack->size) {
        size_t size = 2 * (size_t)stack->size + 256;
        Node **items = PyMem_Realloc(stack->items, size * sizeof(Node *));
        if (!items)
            return (PyErr_NoMemory(), -1);
        *stack = (Stack){items, stack->used, (Py_ssize_t)size};
    }
    stack->items[stack->used++] = (Node *)node;
    return 0;
}

/* Returns whether it has failed: by an error, or where Python must word it. */
static inline int visit(PyObject *arg, Stack *stack) {
    if (PyFloat_CheckExact(arg))
        return 0;
    if (!is_node(arg) || ((Node *)arg)->bits & OPEN) /* a cycle */
        return -1;
    return ((Node *)arg)->bits & DONE ? 0 : push(stack, arg);
}

static void clear(const Stack *nodes) {
    for (Py_ssize_t i = 0; i < nodes->used; i++)
        nodes->items[i]->bits &= ~(OPEN | DONE);
}

static void set_grad(Node *node, double grad, uint64_t forgotten) {
    node->grad = grad;
    node->bits &= ~(ODD_GRAD | forgotten);
}

/* Puts n roots and all before them into an order, each after its arguments, which stay DONE. At
   nodes from before `since` it stops. For a pass it parts them into inner ones, with fresh grads,
   and leaves. */
static int put_in_order(PyObject *const *roots, Py_ssize_t n, uint64_t since, Stack *order,
                        Stack *leaves) {
    Stack stack = {NULL, 0, 0};
    int failed = 0;
    while (n-- > 0 && !failed)
        failed = !is_node(roots[n]) || push(&stack, roots[n]);
    while (stack.used && !failed) {
        Node *node = stack.items[stack.used - 1];
        if (!(node->bits & (OPEN | DONE)) && node->op && node->bits >= since) {
            PyObject *const *args;
            node->bits |= OPEN;
            for (Py_ssize_t i = arguments_of(node, &args); i-- > 0 && !failed;)
                failed = visit(args[i], &stack);
            continue;
        }
        stack.used--;
        if (node->bits & DONE)
            continue;
        node->bits = (node->bits & ~OPEN) | DONE | (leaves ? MARKED : 0);
        if (leaves && node->op)
            set_grad(node, 0.0, 0);
        failed = push(leaves && !node->op ? leaves : order, (PyObject *)node);
    }
    clear(&stack);
    PyMem_Free(stack.items);
    return failed;
}

static PyObject *list_of(const Stack *nodes) {
    PyObject *list = PyList_New(nodes->used);
    for (Py_ssize_t i = 0; list && i < nodes->used; i++)
        PyList_SetItem(list, i, Py_NewRef((PyObject *)nodes->items[i]));
    return list;
}

/* `autograd.graph.topological_order` of a tuple of roots; None where that one must word the error,
   or where they are no Values. */
static PyObject *topological_order(PyObject *module, PyObject *given) {
    Stack order = {NULL, 0, 0};
    PyObject *roots, *ends, *list;
    double since;
    if (!PyArg_ParseTuple(given, "O!O!d", &PyTuple_Type, &roots, &PyTuple_Type, &ends, &since))
        return NULL;
    for (Py_ssize_t i = 0; i < Py_SIZE(ends); i++)
        if (is_node(items_of(ends)[i]))
            ((Node *)items_of(ends)[i])->bits |= DONE;
    int failed = put_in_order(items_of(roots), Py_SIZE(roots), (uint64_t)since * AGE, &order, NULL);
    for (Py_ssize_t i = 0; i < Py_SIZE(ends); i++)
        if (is_node(items_of(ends)[i]))
            ((Node *)items_of(ends)[i])->bits &= ~DONE;
    clear(&order);
    list = failed ? Py_NewRef(Py_None) : list_of(&order);
    PyMem_Free(order.items);
    return PyErr_Occurred() ? NULL : list;
}

/* The backward pass, as `Value.backward` has it */

/* Returns whether a node has passed on to its arguments what they get; else it is for Python. */
static int is_pulled(const Node *node) {
    const Row *row = node->op ? node->op->row : NULL;
    Pull pull = row ? row->pulls[node->bits / PATTERN % PATTERNS] : NULL;
    return pull && !(node->bits & (ODD_DATA | ODD_GRAD)) && !pull(node);
}

static int pull_by_python(Node *node) {
    PyObject *form = get_form((PyObject *)node, NULL), *grad = get((PyObject *)node, &grad_field);
    PyObject *done = form && grad ? PyObject_CallMethod(form, "pull", "OO", node, grad) : NULL;
    Py_XDECREF(done);
    Py_XDECREF(grad);
    Py_XDECREF(form);
    return done ? 0 : -1;
}

/* Finds the number that a grad is; fails where it is for Python to do so. */
static int read_grad(const Node *leaf, double *grad) {
    PyObject *odd = leaf->bits & ODD_GRAD ? rare(leaf, "grad") : NULL;
    *grad = !odd ? leaf->grad : PyFloat_Check(odd) ? PyFloat_AsDouble(odd) : 0.0;
    return odd && odd != Py_None && !PyFloat_Check(odd) && number_of(odd, grad) != INT;
}

/* Adds to the grad of a leaf, into which a user's function may have put anything. */
static int add_to_grad(Node *leaf, double x) {
    PyObject *odd = leaf->bits & ODD_GRAD ? rare(leaf, "grad") : NULL;
    if (!odd) {
        leaf->grad += x;
        return 0;
    }
    PyObject *more = PyFloat_FromDouble(x), *sum = more ? PyNumber_Add(odd, more) : NULL;
    int failed = sum ? set((PyObject *)leaf, sum, &grad_field) : -1;
    Py_XDECREF(more);
    Py_XDECREF(sum);
    return failed;
}

/* Returns True after a pass; False where it hasn't begun, as it is for Python to say why. */
static PyObject *backward(PyObject *module, PyObject *given) {
    Stack inner = {NULL, 0, 0}, leaves = {NULL, 0, 0};
    PyObject *root, *held = NULL;
    double seed, *before = NULL;
    if (!PyArg_ParseTuple(given, "O!d", value_type, &root, &seed))
        return NULL;
    int failed = ((Node *)root)->op ? put_in_order(&root, 1, 0, &inner, &leaves)
                                    : push(&leaves, root);
    clear(&leaves);
    if (!failed && !(before = PyMem_Malloc((size_t)leaves.used * sizeof(double) + 1)))
        failed = -1;
    for (Py_ssize_t i = 0; i < leaves.used && !failed; i++)
        failed = read_grad(leaves.items[i], &before[i]);
    int is_begun = !failed;
    for (Py_ssize_t i = 0; i < leaves.used && is_begun; i++)
        set_grad(leaves.items[i], 0.0, 0);
    if (is_begun)
        set_grad((Node *)root, seed, 0);
    for (Py_ssize_t i = inner.used; i-- > 0;) {
        Node *node = inner.items[i];
        __builtin_prefetch(inner.items[i > 4 ? i - 4 : 0]->a, 1);
        __builtin_prefetch(inner.items[i > 4 ? i - 4 : 0]->b, 1);
        node->bits &= ~DONE;
        if (failed || is_pulled(node))
            continue;
        if (!held) { /* other code runs, which may walk, or let go of nodes */
            clear(&inner);
            held = Py_BuildValue("NN", list_of(&inner), list_of(&leaves));
        }
        failed = !held || pull_by_python(node);
    }
    for (Py_ssize_t i = 0; i < leaves.used && !failed; i++)
        failed = add_to_grad(leaves.items[i], before[i]);
    for (Py_ssize_t i = 0; i < leaves.used && is_begun && failed; i++)
        set_grad(leaves.items[i], before[i], MARKED);
    for (Py_ssize_t i = 0; i < inner.used && is_begun && failed; i++)
        set_grad(inner.items[i], 0.0, MARKED);
    Py_XDECREF(held);
    PyMem_Free(before);
    PyMem_Free(inner.items);
    PyMem_Free(leaves.items);
    return PyErr_Occurred() ? NULL : PyBool_FromLong(is_begun);
}

/* Returns d out / d w for each leaf w, as `autograd.transforms` computes it; None where that must,
   as where a node has a grad already. */
static PyObject *slopes(PyObject *module, PyObject *const *given, Py_ssize_t n) {
    Stack order = {NULL, 0, 0};
    int failed = put_in_order(given, 1, 0, &order, NULL);
    for (Py_ssize_t i = 0; i < order.used; i++)
        failed |= order.items[i]->grad != 0.0 || signbit(order.items[i]->grad);
    int is_begun = !failed;
    for (Py_ssize_t i = 0; i < order.used && is_begun; i++)
        order.items[i]->grad = -0.0; /* a sum that begins with it has the sign of its first term */
    if (is_begun)
        ((Node *)given[0])->grad = 1.0;
    for (Py_ssize_t i = order.used; i-- > 0 && !failed;)
        failed = order.items[i]->op && !is_pulled(order.items[i]);
    PyObject *list = failed ? Py_NewRef(Py_None) : PyList_New(n - 1);
    for (Py_ssize_t i = 1; i < n && !failed && list; i++) {
        const Node *w = (Node *)given[i];
        PyList_SetItem(list, i - 1, PyFloat_FromDouble(w->bits & DONE ? w->grad : 0.0));
    }
    for (Py_ssize_t i = 0; i < order.used && is_begun; i++)
        order.items[i]->grad = 0.0;
    clear(&order);
    PyMem_Free(order.items);
    return PyErr_Occurred() ? NULL : list;
}

/* The types */

enum { BASE = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE };

static PyMemberDef mode_members[] = {
    {"origin", T_OBJECT_EX, offsetof(Mode, origin), 0, NULL},
    {"way", T_INT, offsetof(Mode, way), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot op_slots[] = {{Py_tp_call, call}, {0, NULL}};
static PyType_Slot mode_slots[] = {{Py_tp_members, mode_members}, {0, NULL}};

static PyType_Spec op_spec = {"autograd._accelerator.OpBase", sizeof(Op), 0, BASE, op_slots};
static PyType_Spec mode_spec = {
    "autograd._accelerator.ModeBase", sizeof(Mode), 0, BASE, mode_slots,
};

static PyType_Slot node_slots[] = {
    {Py_tp_new, node_new},
    {Py_tp_init, node_init},
    {Py_tp_doc, (void *)"Value(data, children=(), op='', label='', *, _children=(), _op='')\n--\n\n"},
    {Py_tp_dealloc, node_dealloc},
    {Py_tp_traverse, node_traverse},
    {Py_tp_clear, node_clear},
    {Py_tp_is_gc, is_tracked},
    {Py_tp_getset, node_getset},
    {Py_tp_members, node_members},
    {Py_tp_methods, row_methods},
    ROW_SLOTS
    {0, NULL},
};

static PyType_Spec node_spec = {
    "autograd.engine.Value", sizeof(Node), 0, BASE | Py_TPFLAGS_HAVE_GC, node_slots,
};

/* The module */

/* Makes the type of nodes, as a kind of operand. */
static PyObject *value_of(PyObject *module, PyObject *operand) {
    if (value_type)
        return PyErr_Format(PyExc_RuntimeError, "there is a type of nodes already");
    value_type = (PyTypeObject *)PyType_FromSpecWithBases(&node_spec, operand);
    return Py_XNewRef((PyObject *)value_type);
}

/* Takes what the Python code has. */
static PyObject *connect(PyObject *module, PyObject *given) {
    PyObject *table;
    if (!PyArg_ParseTuple(given, "O!OOO", &PyDict_Type, &table, &operate, &form_of, &mode_variable))
        return NULL;
    Py_INCREF(given); /* for good */
    for (int i = 0; i < ROW_COUNT; i++) {
        PyObject *op = PyDict_GetItemString(table, ROWS[i].name);
        if (!op || !PyObject_TypeCheck(op, op_type))
            return PyErr_Format(PyExc_ImportError, "the table has no row %s", ROWS[i].name);
        ops[i] = (Op *)Py_NewRef(op);
        ops[i]->row = &ROWS[i];
    }
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"value_of", value_of, METH_O, NULL},
    {"connect", connect, METH_VARARGS, NULL},
    {"topological_order", topological_order, METH_VARARGS, NULL},
    {"backward", backward, METH_VARARGS, NULL},
    {"slopes", (PyCFunction)(void (*)(void))slopes, METH_FASTCALL, NULL},
    {"weighted", (PyCFunction)(void (*)(void))weighted, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

/* Finds out where a tuple has its items: from Python 3.14 on, after its hash. */
static int has_found_items(void) {
    PyObject *x = PyFloat_FromDouble(1234.5), *tuple = x ? PyTuple_Pack(2, x, Py_None) : NULL;
    if (tuple && items_of(tuple)[0] != x)
        items_at += (Py_ssize_t)sizeof(Py_hash_t);
    PyObject *list = tuple ? PySequence_List(tuple) : NULL, **in_tuple, **in_list;
    int found = list && items_in(tuple, &in_tuple) == items_in(list, &in_list) && in_list[0] == x
                && in_tuple[0] == x && in_tuple[1] == in_list[1] && number_in(x) == 1234.5;
    Py_XDECREF(list);
    Py_XDECREF(tuple);
    Py_XDECREF(x);
    return found;
}

static int execute(PyObject *module) {
    if (op_type || !has_found_items()) { /* what is static here serves one interpreter */
        PyErr_SetString(PyExc_ImportError, "the accelerator serves one interpreter of a process");
        return -1;
    }
    op_type = (PyTypeObject *)PyType_FromSpec(&op_spec);
    label_field.usual = PyUnicode_FromStringAndSize("", 0);
    op_name = PyUnicode_InternFromString("op");
    pattern_name = PyUnicode_InternFromString("pattern");
    /* For compiled code: where data and grad are, and the bits that say if they are no floats. */
    PyObject *layout = Py_BuildValue("nnnii", data_field.at, grad_field.at, offsetof(Node, bits),
                                     ODD_DATA, ODD_GRAD);
    return !label_field.usual || !op_name || !pattern_name
                   || PyModule_AddStringConstant(module, "made_from", MADE_FROM)
                   || PyModule_AddStringConstant(module, "written_as", WRITTEN_AS)
                   || PyModule_AddObject(module, "layout", layout)
                   || PyModule_AddObjectRef(module, "OpBase", (PyObject *)op_type)
                   || PyModule_AddObject(module, "ModeBase", PyType_FromSpec(&mode_spec))
               ? -1
               : 0;
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, execute}, {0, NULL}};

static PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT, "autograd._accelerator", NULL, 0, functions, module_slots,
    NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__accelerator(void) {
    return PyModuleDef_Init(&module_def);
}
