/* The engine's nodes in C: the same numbers, graphs and errors as in Python, several times faster.

   `autograd.engine` is the reference, and is whole without this file. What is done here: the node,
   an op recorded on nodes and plain numbers, the order of a walk, and the backward pass. The rows'
   forwards and derivatives are generated from the table (`autograd.compiler.rows`). All else is
   handed over to the Python code: debugging, tracing, results that aren't finite, numbers that are
   no floats, rows of a user, nodes built by hand.

   Nodes are not tracked by Python's gc: an argument is older than its node, so that they form no
   cycles. Those that a user builds by hand are, as a function of his may refer to them; and from
   when on he gives one to a node that was recorded, all are. That first one may never be freed. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <structmember.h>

#pragma GCC diagnostic ignored "-Wunused-parameter" /* the signatures are Python's */

#define INLINED static inline __attribute__((always_inline)) /* for each row by itself */

typedef struct Node Node;

/* The base of `Form`. A pull adds to the grads of a node's arguments; it returns whether the Python
   code must instead, and then has done nothing. */
typedef int (*Pull)(Node *node);

typedef struct {
    PyObject_HEAD
    PyObject *pattern;
    int row;   /* from 1, if it is one of those here */
    Pull pull; /* NULL if only Python has it */
} Form;

struct Node { /* what a walk reads comes first, on one line of the cache */
    PyObject_HEAD
    uint64_t bits;     /* those below, and over them how many nodes had been made */
    Form *form;        /* NULL for a leaf */
    PyObject *a, *b;   /* as in Python; NULL is 0.0 */
    union {
        double grad;
        Node *next; /* of those that wait for being freed, or used again */
    };
    double data;
    PyObject *origin;  /* NULL is None; or a dict of what few nodes have */
};

enum {
    NONE = 1, PASSED, OTHER, MARK = 3, /* the _mark: None, of a pass, in the dict; 0 if not set */
    RARE = 1 << 2,                     /* there is a dict in place of the origin */
    ODD_DATA = 1 << 3, ODD_GRAD = 1 << 4, /* the number is no float, and in the dict */
    OPEN = 1 << 5, DONE = 1 << 6,      /* where a walk is with it */
    TRACKED = 1 << 7,                  /* by gc */
    AGE = 1 << 8,
};

/* A row of the table, as it is generated. */
typedef double (*Forward)(const double *x, Py_ssize_t n);

enum { ANY_NUMBER = -1, FEW = 3, KEPT = 16, ON_STACK = 64, MOST_SPARE = 1 << 17 };

typedef struct {
    const char *name;
    int arity; /* or ANY_NUMBER */
    Forward forward;
    Pull pulls[1 << FEW]; /* by which of the arguments are nodes, the first being 1 */
} Row;

/* The base of `Op`. */
typedef struct {
    PyObject_HEAD
    int row; /* from 1, if it is one of those here */
} Op;

/* The base of `Mode`. */
typedef struct {
    PyObject_HEAD
    PyObject *origin;
    int way; /* of these */
} Mode;

enum { AS_NODE, AS_LEAF, BY_PYTHON };

static int tracks_all;
static uint64_t clock_of_nodes;
static PyTypeObject *form_type, *op_type, *mode_type, *value_type;
static Py_ssize_t items_at;  /* where a tuple has its items */
static Py_ssize_t number_at; /* where a float has its number */

/* What the Python code has given in `connect`. */
static PyObject *operate, *form_function, *mode_variable, *python_order, **rows;

static int is_node(PyObject *x)
{
    return Py_TYPE(x) == value_type;
}

static PyObject **items_of(PyObject *tuple)
{
    return (PyObject **)((char *)tuple + items_at);
}

/* Of one that is known to be a float; a call for each would take longer than its product. */
static inline double number_in(PyObject *x)
{
    return *(double *)((char *)x + number_at);
}

/* Returns what few nodes have, borrowed; NULL if this one hasn't. */
static PyObject *rare(const Node *node, const char *name)
{
    return node->bits & RARE ? PyDict_GetItemString(node->origin, name) : NULL;
}

/* Gives a node what few have, or with NULL takes it away. */
static int set_rare(Node *node, const char *name, PyObject *value)
{
    if (!value)
        return rare(node, name) ? PyDict_DelItemString(node->origin, name) : 0;
    if (!(node->bits & RARE)) {
        PyObject *dict = PyDict_New(), *origin = node->origin;
        if (!dict || (origin && PyDict_SetItemString(dict, "origin", origin))) {
            Py_XDECREF(dict);
            return -1;
        }
        node->origin = dict;
        node->bits |= RARE;
        Py_XDECREF(origin);
    }
    return PyDict_SetItemString(node->origin, name, value);
}

/* Every CPython exports it, though the limited API leaves it out. */
extern int PyContextVar_Get(PyObject *variable, PyObject *otherwise, PyObject **value);

/* Borrowed of the context, so until other code runs. */
static inline Mode *current_mode(void)
{
    PyObject *mode = NULL;
    if (!mode_variable)
        PyErr_SetString(PyExc_RuntimeError, "autograd has not been loaded to its end");
    else if (PyContextVar_Get(mode_variable, NULL, &mode) < 0)
        return NULL;
    Py_XDECREF(mode);
    return (Mode *)mode;
}

/* Returns what the Python code of this name gives, for which the one here stands in. */
static PyObject *by_python(PyObject *self, const char *name, PyObject *args, PyObject *kwargs)
{
    PyObject *method = PyObject_GetAttrString(self, name);
    PyObject *result = method ? PyObject_Call(method, args, kwargs) : NULL;
    Py_XDECREF(method);
    return result;
}

/* The life of a node */

static Node *spare; /* of these, with the references to their type */
static int spares;

/* Returns a node with nothing in it. */
static inline Node *blank(int is_tracked)
{
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
    node->form = NULL;
    node->a = node->b = node->origin = NULL;
    node->bits = (clock_of_nodes += AGE) | (is_tracked ? TRACKED : 0);
    return node;
}

/* More than a number and a label is needed to build a node by hand, which gc has to know. */
static int is_by_hand(PyObject *args, PyObject *kwargs)
{
    Py_ssize_t n = PyTuple_Size(args);
    return kwargs || n > 2 || (n == 2 && !PyUnicode_CheckExact(items_of(args)[1]));
}

static PyObject *node_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return (PyObject *)blank(tracks_all || is_by_hand(args, kwargs));
}

static Node *waiting; /* to be freed */
static int is_freeing;

static void let_go(PyObject *held)
{
    if (held && is_node(held) && Py_REFCNT(held) == 1 && !(((Node *)held)->bits & TRACKED)) {
        ((Node *)held)->next = waiting;
        waiting = (Node *)held;
    } else
        Py_XDECREF(held);
}

static int node_clear(PyObject *self)
{
    Node *node = (Node *)self;
    node->bits &= ~(uint64_t)(RARE | ODD_DATA | ODD_GRAD);
    Py_CLEAR(node->origin);
    Py_CLEAR(node->form);
    Py_CLEAR(node->a);
    Py_CLEAR(node->b);
    return 0;
}

/* What a node holds is freed after it and not inside of it: a chain may be of any length. */
static void node_dealloc(PyObject *self)
{
    Node *node = (Node *)self;
    if (node->bits & TRACKED)
        PyObject_GC_UnTrack(self);
    node->next = waiting;
    waiting = node;
    if (is_freeing)
        return;
    is_freeing = 1;
    while (waiting) {
        node = waiting;
        waiting = node->next;
        let_go(node->a);
        let_go(node->b);
        Py_XDECREF((PyObject *)node->form);
        Py_XDECREF(node->origin);
        if (!(node->bits & TRACKED) && spares < MOST_SPARE) {
            node->next = spare;
            spare = node;
            spares++;
            continue;
        }
        if (node->bits & TRACKED)
            PyObject_GC_Del(node);
        else
            PyObject_Free(node);
        Py_DECREF((PyObject *)value_type);
    }
    is_freeing = 0;
}

static int node_traverse(PyObject *self, visitproc visit, void *arg)
{
    Node *node = (Node *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT((PyObject *)node->form);
    Py_VISIT(node->a);
    Py_VISIT(node->b);
    Py_VISIT(node->origin);
    return 0;
}

static int is_tracked(PyObject *self)
{
    return (((Node *)self)->bits & TRACKED) != 0;
}

/* Its attributes */

static int refuse_deletion(PyObject *value)
{
    if (!value)
        PyErr_SetString(PyExc_AttributeError, "what a node holds can't be deleted");
    return !value;
}

static void set_mark(Node *node, int mark)
{
    node->bits = (node->bits & ~(uint64_t)MARK) | (uint64_t)mark;
}

typedef struct {
    const char *name;
    size_t at;
    uint64_t odd;
} Field;

static Field data_field = {"data", offsetof(Node, data), ODD_DATA};
static Field grad_field = {"grad", offsetof(Node, grad), ODD_GRAD};

static PyObject *get_number(PyObject *self, void *closure)
{
    const Field *field = closure;
    PyObject *odd = ((Node *)self)->bits & field->odd ? rare((Node *)self, field->name) : NULL;
    return odd ? Py_NewRef(odd) : PyFloat_FromDouble(*(double *)((char *)self + field->at));
}

static int set_float(Node *node, const Field *field, double x)
{
    *(double *)((char *)node + field->at) = x;
    if (!(node->bits & field->odd))
        return 0;
    node->bits &= ~field->odd;
    return set_rare(node, field->name, NULL);
}

static int set_number(PyObject *self, PyObject *value, void *closure)
{
    const Field *field = closure;
    if (refuse_deletion(value))
        return -1;
    if (PyFloat_CheckExact(value))
        return set_float((Node *)self, field, number_in(value));
    int failed = set_rare((Node *)self, field->name, value);
    ((Node *)self)->bits |= failed ? 0 : field->odd;
    return failed;
}

static PyObject *get_label(PyObject *self, void *unused)
{
    PyObject *label = rare((Node *)self, "label");
    return label ? Py_NewRef(label) : PyUnicode_FromStringAndSize("", 0);
}

static PyObject *get_origin(PyObject *self, void *unused)
{
    Node *node = (Node *)self;
    PyObject *origin = node->bits & RARE ? rare(node, "origin") : node->origin;
    return Py_NewRef(origin ? origin : Py_None);
}

static int set_label(PyObject *self, PyObject *value, void *unused)
{
    if (refuse_deletion(value))
        return -1;
    int is_empty = PyUnicode_CheckExact(value) && !PyUnicode_GetLength(value);
    return set_rare((Node *)self, "label", is_empty ? NULL : value);
}

static int set_origin(PyObject *self, PyObject *value, void *unused)
{
    if (refuse_deletion(value))
        return -1;
    int has_none = !((Node *)self)->origin && value == Py_None;
    return has_none ? 0 : set_rare((Node *)self, "origin", value);
}

static PyObject *get_mark(PyObject *self, void *unused)
{
    int mark = (int)(((Node *)self)->bits & MARK);
    if (!mark)
        PyErr_SetString(PyExc_AttributeError, "_mark");
    if (!mark || mark == OTHER)
        return Py_XNewRef(mark ? rare((Node *)self, "_mark") : NULL);
    return Py_NewRef(mark == NONE ? Py_None : Py_True);
}

static int set_mark_object(PyObject *self, PyObject *value, void *unused)
{
    int is_plain = value == Py_None || value == Py_True;
    if (refuse_deletion(value) || set_rare((Node *)self, "_mark", is_plain ? NULL : value))
        return -1;
    set_mark((Node *)self, value == Py_None ? NONE : is_plain ? PASSED : OTHER);
    return 0;
}

static PyObject *get_form(PyObject *self, void *unused)
{
    PyObject *form = (PyObject *)((Node *)self)->form;
    return Py_NewRef(form ? form : Py_None);
}

static int set_form(PyObject *self, PyObject *value, void *unused)
{
    Node *node = (Node *)self;
    PyObject *old = (PyObject *)node->form;
    if (refuse_deletion(value))
        return -1;
    if (value != Py_None && !PyObject_TypeCheck(value, form_type)) {
        PyErr_SetString(PyExc_TypeError, "the _form of a node is a Form, or None");
        return -1;
    }
    if (old && value != Py_None && !(node->bits & TRACKED))
        tracks_all = 1; /* the form of a row gives way to a user's function */
    node->form = value == Py_None ? NULL : (Form *)Py_NewRef(value);
    Py_XDECREF(old);
    return 0;
}

static PyObject *get_age(PyObject *self, void *unused)
{
    return PyFloat_FromDouble((double)(((Node *)self)->bits / AGE));
}

static int set_age(PyObject *self, PyObject *value, void *unused)
{
    ((Node *)self)->bits &= AGE - 1; /* by the clock here, which is the finer one */
    ((Node *)self)->bits |= clock_of_nodes += AGE;
    return 0;
}

static PyObject *get_slot(PyObject *self, void *offset)
{
    PyObject *held = *(PyObject **)((char *)self + (size_t)offset);
    return held ? Py_NewRef(held) : PyFloat_FromDouble(0.0);
}

static int set_slot(PyObject *self, PyObject *value, void *offset)
{
    PyObject **place = (PyObject **)((char *)self + (size_t)offset), *old = *place;
    if (refuse_deletion(value))
        return -1;
    *place = Py_NewRef(value);
    Py_XDECREF(old);
    return 0;
}

static PyObject *get_op(PyObject *self, void *unused)
{
    Form *form = ((Node *)self)->form;
    if (!form)
        Py_RETURN_NONE;
    return form->row ? Py_NewRef(rows[form->row - 1])
                     : PyObject_GetAttrString((PyObject *)form, "op");
}

static PyObject *get_args(PyObject *self, void *unused)
{
    Form *form = ((Node *)self)->form;
    Py_ssize_t n = form && form->pattern ? PyTuple_Size(form->pattern) : 0;
    if (n < 0 || n > 2)
        return n < 0 ? NULL : get_slot(self, (void *)offsetof(Node, a));
    PyObject *args = PyTuple_New(n);
    for (Py_ssize_t i = 0; args && i < n; i++)
        PyTuple_SetItem(args, i, get_slot(self, (void *)(i ? offsetof(Node, b) : offsetof(Node, a))));
    return args;
}

/* A new leaf of a float; else as Python has it. */
static int node_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    Node *node = (Node *)self;
    PyObject *x = PyTuple_Size(args) ? items_of(args)[0] : Py_None;
    Mode *mode = current_mode();
    if (!mode)
        return -1;
    if (mode->way != BY_PYTHON && !(node->bits & MARK) && PyFloat_CheckExact(x)
        && !is_by_hand(args, kwargs)) {
        node->data = number_in(x);
        set_mark(node, NONE);
        return PyTuple_Size(args) > 1 ? set_label(self, items_of(args)[1], NULL) : 0;
    }
    PyObject *done = by_python(self, "_init", args, kwargs);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

static PyGetSetDef node_getset[] = {
    {"op", get_op, NULL, NULL, NULL},
    {"args", get_args, NULL, NULL, NULL},
    {"data", get_number, set_number, NULL, &data_field},
    {"grad", get_number, set_number, NULL, &grad_field},
    {"label", get_label, set_label, NULL, NULL},
    {"origin", get_origin, set_origin, NULL, NULL},
    {"_mark", get_mark, set_mark_object, NULL, NULL},
    {"_form", get_form, set_form, NULL, NULL},
    {"_age", get_age, set_age, NULL, NULL},
    {"_a", get_slot, set_slot, NULL, (void *)offsetof(Node, a)},
    {"_b", get_slot, set_slot, NULL, (void *)offsetof(Node, b)},
    {NULL, NULL, NULL, NULL, NULL},
};

/* What the generated rows need: their arguments, and what these get */

/* Returns the arguments of a node that should have n; NULL if they aren't there. */
static inline PyObject *const *arguments_of(const Node *node, Py_ssize_t n)
{
    if (n < 3)
        return node->a && (node->b || n < 2) ? &node->a : NULL;
    int is_whole = node->a && PyTuple_CheckExact(node->a) && PyTuple_Size(node->a) == n;
    return is_whole ? items_of(node->a) : NULL;
}

static inline int has_floats(PyObject *arg)
{
    return is_node(arg) && !(((Node *)arg)->bits & (ODD_DATA | ODD_GRAD));
}

static inline void pass_on(PyObject *arg, double part)
{
    ((Node *)arg)->grad += part;
}

/* What an argument is, as far as it matters here. */
enum { FLOAT = 0, NODE = 1, INT = 2, OTHERWISE = 4 };

static inline int number_of(PyObject *arg, double *x)
{
    if (is_node(arg)) {
        *x = ((Node *)arg)->data;
        return ((Node *)arg)->bits & ODD_DATA ? OTHERWISE : NODE;
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

/* Returns the arguments with their numbers for those that are ints. */
static PyObject *with_floats(PyObject *const *args, const double *x, Py_ssize_t n)
{
    PyObject *tuple = PyTuple_New(n);
    for (Py_ssize_t i = 0; tuple && i < n; i++) {
        int is_int = PyLong_CheckExact(args[i]);
        PyTuple_SetItem(tuple, i, is_int ? PyFloat_FromDouble(x[i]) : Py_NewRef(args[i]));
    }
    return tuple;
}

static double sum_of(const double *x, Py_ssize_t n)
{
    double total = x[0];
    for (Py_ssize_t i = 1; i < n; i++)
        total = total + x[i];
    return total;
}

static double weighted_sum_of(const double *x, Py_ssize_t n)
{
    Py_ssize_t half = n / 2;
    if (!half)
        return x[0];
    double total = x[0] * x[half];
    for (Py_ssize_t i = 1; i < half; i++)
        total = total + x[i] * x[half + i];
    return n % 2 ? total + x[n - 1] : total;
}

/* The first of the arguments are weights, and as many after them inputs. */
static int pull_any(Node *node, int has_weights)
{
    Py_ssize_t n = PyTuple_Size(node->form->pattern), weights = has_weights ? n / 2 : 0;
    PyObject *const *args = arguments_of(node, n);
    double factor;
    for (Py_ssize_t i = 0; i < n; i++)
        if (!args || (!has_floats(args[i]) && number_of(args[i], &factor) != FLOAT))
            return 1;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (!is_node(args[i]))
            continue;
        factor = 1.0;
        if (i < 2 * weights)
            number_of(args[i < weights ? i + weights : i - weights], &factor);
        pass_on(args[i], node->grad * factor);
    }
    return 0;
}

static int pull_sum(Node *node)
{
    return pull_any(node, 0);
}

static int pull_weighted_sum(Node *node)
{
    return pull_any(node, 1);
}

INLINED PyObject *unary(int row, PyObject *x);
INLINED PyObject *binary(int row, PyObject *x, PyObject *y);

#include "_rows.h"

/* Recording */

static Form *few_forms[ROW_COUNT][FEW + 1][1 << FEW]; /* by the number of arguments, and which of
                                                         them are nodes */
static Form *wide_forms[ROW_COUNT][KEPT];             /* of more, used last */

static int is_for(const Form *form, PyObject *const *args, Py_ssize_t n)
{
    if (PyTuple_Size(form->pattern) != n)
        return 0;
    while (n && is_node(args[n - 1]) == (items_of(form->pattern)[n - 1] == Py_True))
        n--;
    return !n;
}

/* Returns the form of a row with these arguments. */
static Form *form_for(int row, PyObject *const *args, Py_ssize_t n, Form **place, Pull pull)
{
    if (*place && (n <= FEW || is_for(*place, args, n)))
        return (Form *)Py_NewRef((PyObject *)*place);
    PyObject *pattern = PyTuple_New(n), *form = NULL;
    for (Py_ssize_t i = 0; pattern && i < n; i++)
        PyTuple_SetItem(pattern, i, PyBool_FromLong(is_node(args[i])));
    if (pattern)
        form = PyObject_CallFunctionObjArgs(form_function, rows[row], pattern, NULL);
    Py_XDECREF(pattern);
    if (!form || !PyObject_TypeCheck(form, form_type))
        return (Form *)form;
    PyObject *old = (PyObject *)*place;
    ((Form *)form)->row = row + 1;
    ((Form *)form)->pull = pull;
    *place = (Form *)Py_NewRef(form);
    Py_XDECREF(old);
    return (Form *)form;
}

/* Returns the node of what has been computed; NULL without an error in a mode for Python. */
INLINED PyObject *made(int row, PyObject *const *args, Py_ssize_t n, PyObject *whole,
                       unsigned pattern, double data)
{
    Mode *mode = current_mode();
    if (!mode || mode->way == BY_PYTHON)
        return NULL;
    Node *node = blank(tracks_all);
    if (!node)
        return NULL;
    node->data = data;
    node->bits |= NONE;
    node->origin = mode->origin == Py_None ? NULL : Py_NewRef(mode->origin);
    if (mode->way == AS_LEAF)
        return (PyObject *)node;
    Form **place = n > FEW ? &wide_forms[row][n % KEPT] : &few_forms[row][n][pattern];
    node->form = n <= FEW && *place ? (Form *)Py_NewRef((PyObject *)*place)
                                    : form_for(row, args, n, place, ROWS[row].pulls[pattern]);
    if (!node->form) {
        Py_DECREF((PyObject *)node);
        return NULL;
    }
    node->a = Py_NewRef(n > 2 ? whole : args[0]);
    node->b = n == 2 ? Py_NewRef(args[1]) : NULL;
    return (PyObject *)node;
}

/* Returns a row of nodes and plain numbers; NULL, maybe without an error, where Python must.
   `whole` is the tuple of more than two. */
INLINED PyObject *recorded(int row, PyObject *const *args, Py_ssize_t n, PyObject *whole)
{
    double on_stack[ON_STACK], *x = on_stack;
    if (n > ON_STACK && !(x = PyMem_Malloc((size_t)n * sizeof(double))))
        return PyErr_NoMemory();
    unsigned pattern = 0;
    int kinds = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        int kind = number_of(args[i], &x[i]);
        kinds |= kind;
        pattern |= n <= FEW ? (unsigned)(kind & NODE) << i : 0;
    }
    double data = kinds < OTHERWISE ? ROWS[row].forward(x, n) : NAN;
    int has_ints = isfinite(data) && kinds & INT;
    PyObject *floats = has_ints ? with_floats(args, x, n) : NULL, *result = NULL;
    if (floats)
        args = items_of(whole = floats);
    if (isfinite(data) && (floats || !has_ints))
        result = kinds & NODE ? made(row, args, n, whole, pattern, data) : PyFloat_FromDouble(data);
    Py_XDECREF(floats);
    if (n > ON_STACK)
        PyMem_Free(x);
    return result;
}

INLINED PyObject *unary(int row, PyObject *x)
{
    PyObject *node = recorded(row, &x, 1, NULL);
    return node || PyErr_Occurred() ? node : PyObject_CallMethod(rows[row], "_call", "O", x);
}

INLINED PyObject *binary(int row, PyObject *x, PyObject *y)
{
    PyObject *args[2] = {x, y}, *node = recorded(row, args, 2, NULL);
    if (node || PyErr_Occurred())
        return node;
    return PyObject_CallFunctionObjArgs(operate, rows[row], x, y, NULL);
}

/* In place of `Op.__call__`: that one, unless it is one of the rows here, of nodes and numbers. */
static PyObject *call(PyObject *op, PyObject *args, PyObject *kwargs)
{
    int row = ((Op *)op)->row - 1;
    Py_ssize_t n = PyTuple_Size(args);
    if (row >= 0 && !kwargs && n && (ROWS[row].arity == n || ROWS[row].arity == ANY_NUMBER)) {
        PyObject *result = recorded(row, items_of(args), n, args);
        if (result || PyErr_Occurred())
            return result;
    }
    return by_python(op, "_call", args, kwargs);
}

/* The order of a walk, as `autograd.graph` has it */

typedef struct {
    Node **items;
    Py_ssize_t used, size;
} Stack;

static int grow(Stack *stack)
{
    stack->size = 2 * stack->size + 256;
    Node **items = PyMem_Realloc(stack->items, (size_t)stack->size * sizeof(Node *));
    if (!items) {
        PyErr_NoMemory();
        return -1;
    }
    stack->items = items;
    return 0;
}

static inline int push(Stack *stack, PyObject *node)
{
    if (stack->used == stack->size && grow(stack))
        return -1;
    stack->items[stack->used++] = (Node *)node;
    return 0;
}

/* Returns whether it has failed: by an error, or where Python must word it. */
static inline int visit(PyObject *arg, Stack *stack)
{
    if (!arg || PyFloat_CheckExact(arg))
        return 0;
    if (!is_node(arg) || ((Node *)arg)->bits & OPEN) /* a cycle */
        return -1;
    return ((Node *)arg)->bits & DONE ? 0 : push(stack, arg);
}

static int visit_all(PyObject *args, Stack *stack)
{
    for (Py_ssize_t i = PyTuple_Size(args); i-- > 0;)
        if (visit(items_of(args)[i], stack))
            return -1;
    return 0;
}

static void clear(const Stack *nodes)
{
    for (Py_ssize_t i = 0; i < nodes->used; i++)
        nodes->items[i]->bits &= ~(uint64_t)(OPEN | DONE);
}

/* Puts some nodes and all before them into an order, each after its arguments, and frees what they
   were in. In the order they stay DONE. At nodes from before `since` it stops. For a pass it parts
   them into inner ones, with fresh grads, and leaves. */
static int put_in_order(Stack *stack, uint64_t since, Stack *order, Stack *leaves, int failed)
{
    while (stack->used && !failed) {
        Node *node = stack->items[stack->used - 1];
        Py_ssize_t before = stack->used;
        if (node->bits & DONE) {
            stack->used--;
            continue;
        }
        if (!(node->bits & OPEN) && node->form && node->bits >= since) {
            node->bits |= OPEN;
            failed = node->a && PyTuple_CheckExact(node->a)
                         ? visit_all(node->a, stack)
                         : visit(node->b, stack) || visit(node->a, stack);
        }
        if (stack->used > before || failed)
            continue;
        node->bits = (node->bits & ~(uint64_t)OPEN) | DONE;
        stack->used--;
        if (leaves) {
            set_mark(node, PASSED);
            failed = node->form ? set_float(node, &grad_field, 0.0) : 0;
        }
        failed = failed || push(leaves && !node->form ? leaves : order, (PyObject *)node);
    }
    clear(stack);
    PyMem_Free(stack->items);
    return failed;
}

/* Puts all nodes of a tuple on a stack; fails if they aren't. */
static int push_all(Stack *stack, PyObject *tuple)
{
    for (Py_ssize_t i = PyTuple_Size(tuple); i-- > 0;)
        if (!is_node(items_of(tuple)[i]) || push(stack, items_of(tuple)[i]))
            return -1;
    return 0;
}

static PyObject *list_of(const Stack *nodes)
{
    PyObject *list = PyList_New(nodes->used);
    for (Py_ssize_t i = 0; list && i < nodes->used; i++)
        PyList_SetItem(list, i, Py_NewRef((PyObject *)nodes->items[i]));
    return list;
}

/* `autograd.graph.topological_order`; that one has to word the error, or what is no Value. */
static PyObject *topological_order(PyObject *module, PyObject *roots, PyObject *kwargs)
{
    Stack stack = {NULL, 0, 0}, ended = {NULL, 0, 0}, order = {NULL, 0, 0};
    PyObject *given = kwargs ? PyDict_GetItemString(kwargs, "ends") : NULL, *list = NULL;
    PyObject *since = kwargs ? PyDict_GetItemString(kwargs, "since") : NULL;
    PyObject *ends = given && PyList_CheckExact(given) ? PyList_AsTuple(given) : NULL;
    double age = since && PyFloat_CheckExact(since) ? number_in(since) : 0.0;
    int failed = kwargs && PyDict_Size(kwargs) > !!ends + (since && PyFloat_CheckExact(since));
    failed = failed || (ends && push_all(&ended, ends)) || push_all(&stack, roots);
    for (Py_ssize_t i = 0; i < ended.used; i++)
        ended.items[i]->bits |= DONE;
    failed = put_in_order(&stack, (uint64_t)age * AGE, &order, NULL, failed);
    clear(&order);
    clear(&ended);
    if (!failed)
        list = list_of(&order);
    else if (!PyErr_Occurred())
        list = PyObject_Call(python_order, roots, kwargs);
    PyMem_Free(ended.items);
    PyMem_Free(order.items);
    Py_XDECREF(ends);
    return list;
}

/* The backward pass, as `Value.backward` has it */

/* Parts the nodes before a root into inner ones, in order and with fresh grads, and leaves. */
static int begin(PyObject *root, Stack *inner, Stack *leaves)
{
    Stack stack = {NULL, 0, 0};
    if (!((Node *)root)->form)
        return push(leaves, root);
    int failed = put_in_order(&stack, 0, inner, leaves, push(&stack, root));
    clear(leaves);
    return failed;
}

static PyObject *backward_order(PyObject *module, PyObject *root)
{
    Stack inner = {NULL, 0, 0}, leaves = {NULL, 0, 0};
    PyObject *both = NULL;
    int failed = !is_node(root) || begin(root, &inner, &leaves);
    clear(&inner);
    if (!failed)
        both = Py_BuildValue("NN", list_of(&inner), list_of(&leaves));
    else if (!PyErr_Occurred())
        both = PyObject_CallFunctionObjArgs(python_order, root, NULL); /* raises the CycleError */
    PyMem_Free(inner.items);
    PyMem_Free(leaves.items);
    return both;
}

static int is_pulled(Node *node)
{
    Form *form = node->form; /* which a user's function may have taken away */
    return form && form->pull && has_floats((PyObject *)node) && !form->pull(node);
}

/* Returns a grad as a float; NaN where it is for Python to do so. */
static double grad_of(const Node *leaf)
{
    PyObject *odd = leaf->bits & ODD_GRAD ? rare(leaf, "grad") : NULL;
    double grad = 0.0;
    if (!odd || odd == Py_None)
        return odd ? grad : leaf->grad;
    return number_of(odd, &grad) == INT ? grad : NAN;
}

/* Returns whether this pass is done. Else nothing is: one that needs Python's code must be its. */
static PyObject *backward(PyObject *module, PyObject *given)
{
    Stack inner = {NULL, 0, 0}, leaves = {NULL, 0, 0};
    double seed, *before = NULL;
    PyObject *root;
    if (!PyArg_ParseTuple(given, "O!d", value_type, &root, &seed))
        return NULL;
    int failed = begin(root, &inner, &leaves);
    if (!failed && !(before = PyMem_Malloc((size_t)leaves.used * sizeof(double) + 1)))
        failed = -1;
    for (Py_ssize_t i = 0; i < leaves.used && !failed; i++)
        failed = isnan(before[i] = grad_of(leaves.items[i]));
    Py_ssize_t begun = failed ? 0 : leaves.used;
    for (Py_ssize_t i = 0; i < begun; i++)
        set_float(leaves.items[i], &grad_field, 0.0);
    if (!failed)
        set_float((Node *)root, &grad_field, seed);
    for (Py_ssize_t i = inner.used; i-- > 0;) {
        inner.items[i]->bits &= ~(uint64_t)DONE;
        failed = failed || !is_pulled(inner.items[i]);
    }
    for (Py_ssize_t i = 0; i < begun; i++)
        leaves.items[i]->grad = failed ? before[i] : leaves.items[i]->grad + before[i];
    PyMem_Free(before);
    PyMem_Free(inner.items);
    PyMem_Free(leaves.items);
    return PyErr_Occurred() ? NULL : PyBool_FromLong(!failed);
}

/* Pulls the nodes of a list from the last one on, be it by Python. */
static PyObject *pull_back(PyObject *module, PyObject *order)
{
    for (Py_ssize_t i = PyList_Size(order); i-- > 0;) {
        PyObject *node = PyList_GetItem(order, i);
        if (!node || !is_node(node))
            return PyErr_Format(PyExc_TypeError, "an order is of Values");
        if (is_pulled((Node *)node))
            continue;
        PyObject *form = get_form(node, NULL), *grad = get_number(node, &grad_field);
        PyObject *done = grad ? PyObject_CallMethod(form, "pull", "OO", node, grad) : NULL;
        Py_XDECREF(grad);
        Py_DECREF(form);
        Py_XDECREF(done);
        if (!done)
            return NULL;
    }
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

/* What is noted in forms, ops and modes */

enum { BASE = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE };

static PyMemberDef form_members[] = {
    {"pattern", T_OBJECT_EX, offsetof(Form, pattern), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyMemberDef mode_members[] = {
    {"origin", T_OBJECT_EX, offsetof(Mode, origin), 0, NULL},
    {"way", T_INT, offsetof(Mode, way), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot form_slots[] = {{Py_tp_members, form_members}, {0, NULL}};
static PyType_Slot op_slots[] = {{Py_tp_call, call}, {0, NULL}};
static PyType_Slot mode_slots[] = {{Py_tp_members, mode_members}, {0, NULL}};

static PyType_Spec form_spec = {
    "autograd._accelerator.FormBase", sizeof(Form), 0, BASE, form_slots,
};
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
    {Py_tp_methods, row_methods},
    ROW_SLOTS
    {0, NULL},
};

static PyType_Spec node_spec = {
    "autograd.engine.Value", sizeof(Node), 0, BASE | Py_TPFLAGS_HAVE_GC, node_slots,
};

/* The module */

/* Makes the type of nodes, as a kind of operand. */
static PyObject *value_of(PyObject *module, PyObject *operand)
{
    if (value_type)
        return PyErr_Format(PyExc_RuntimeError, "there is a type of nodes already");
    value_type = (PyTypeObject *)PyType_FromSpecWithBases(&node_spec, operand);
    return Py_XNewRef((PyObject *)value_type);
}

/* Takes what the Python code has. */
static PyObject *connect(PyObject *module, PyObject *given)
{
    PyObject *table;
    if (!PyArg_ParseTuple(given, "O!OOOO", &PyDict_Type, &table, &operate, &form_function,
                          &mode_variable, &python_order))
        return NULL;
    Py_INCREF(given); /* for good */
    if (!(rows = PyMem_Calloc(ROW_COUNT, sizeof(PyObject *))))
        return PyErr_NoMemory();
    for (int i = 0; i < ROW_COUNT; i++) {
        rows[i] = Py_XNewRef(PyDict_GetItemString(table, ROWS[i].name));
        if (!rows[i] || !PyObject_TypeCheck(rows[i], op_type))
            return PyErr_Format(PyExc_ImportError, "the table has no row %s", ROWS[i].name);
        ((Op *)rows[i])->row = i + 1;
    }
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"value_of", value_of, METH_O, NULL},
    {"connect", connect, METH_VARARGS, NULL},
    {"topological_order", (PyCFunction)(void (*)(void))topological_order,
     METH_VARARGS | METH_KEYWORDS, NULL},
    {"backward_order", backward_order, METH_O, NULL},
    {"backward", backward, METH_VARARGS, NULL},
    {"pull_back", pull_back, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static Py_ssize_t size_of(PyTypeObject *type)
{
    PyObject *size = PyObject_GetAttrString((PyObject *)type, "__basicsize__");
    Py_ssize_t found = size ? PyLong_AsSsize_t(size) : -1;
    Py_XDECREF(size);
    return found;
}

/* Finds out where a tuple has its items, at the end of what all tuples have, and a float its
   number, as the last that it has. */
static int found_items(void)
{
    PyObject *x = PyFloat_FromDouble(1234.5), *tuple = x ? PyTuple_Pack(2, x, Py_None) : NULL;
    items_at = size_of(&PyTuple_Type);
    number_at = size_of(&PyFloat_Type) - (Py_ssize_t)sizeof(double);
    int found = tuple && items_at > 0 && items_of(tuple)[0] == x && items_of(tuple)[1] == Py_None;
    found = found && number_at > 0 && number_in(x) == 1234.5;
    Py_XDECREF(x);
    Py_XDECREF(tuple);
    return found;
}

/* For compiled code: where the number is, and where the bits that say if it is something else. */
static PyObject *layout_of(const Field *field)
{
    return Py_BuildValue("nnn", (Py_ssize_t)field->at, (Py_ssize_t)offsetof(Node, bits),
                         (Py_ssize_t)field->odd);
}

static int execute(PyObject *module)
{
    if (form_type || !found_items()) { /* what is static here serves one interpreter */
        PyErr_SetString(PyExc_ImportError, "the accelerator serves one interpreter of a process");
        return -1;
    }
    form_type = (PyTypeObject *)PyType_FromSpec(&form_spec);
    op_type = (PyTypeObject *)PyType_FromSpec(&op_spec);
    mode_type = (PyTypeObject *)PyType_FromSpec(&mode_spec);
    if (!form_type || !op_type || !mode_type
        || PyModule_AddStringConstant(module, "made_from", MADE_FROM)
        || PyModule_AddStringConstant(module, "written_as", WRITTEN_AS)
        || PyModule_AddObject(module, "data_layout", layout_of(&data_field))
        || PyModule_AddObject(module, "grad_layout", layout_of(&grad_field))
        || PyModule_AddObjectRef(module, "FormBase", (PyObject *)form_type)
        || PyModule_AddObjectRef(module, "OpBase", (PyObject *)op_type))
        return -1;
    return PyModule_AddObjectRef(module, "ModeBase", (PyObject *)mode_type);
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, execute}, {0, NULL}};

static PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT, "autograd._accelerator", NULL, 0, functions, module_slots,
    NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__accelerator(void)
{
    return PyModuleDef_Init(&module_def);
}
