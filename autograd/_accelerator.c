/* The engine's nodes in C: the same numbers, graphs and errors as in Python, several times faster.

   `autograd.engine` is the reference, and is whole without this file. What is done here: the node,
   an op recorded on nodes and plain numbers, the order of a backward pass, and the pass. The rows'
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

_Static_assert(sizeof(void *) == 8, "four bits of a pointer to a form are used for marks");

/* A row of the table, as it is generated. */

typedef double (*Forward)(const double *x, Py_ssize_t n);

/* Computes what each argument gets; returns whether the Python code must have a closer look. */
typedef int (*Pull)(double g, double out, const double *x, double *passed);

enum { SUM = -1, WEIGHTED = -2 };

typedef struct {
    const char *name;
    int arity; /* or one of these */
    Forward forward;
    Pull pulls[8]; /* by which of the arguments are nodes, the first being 1 */
} Row;

static PyObject *unary(int row, PyObject *x);
static PyObject *binary(int row, PyObject *x, PyObject *y);
static double sum_of(const double *x, Py_ssize_t n);
static double weighted_sum_of(const double *x, Py_ssize_t n);

#include "_rows.h"

/* The node */

typedef struct Node Node;
struct Node {
    PyObject_HEAD
    double data;
    union {
        double grad;
        Node *next; /* of those that wait for being freed */
    };
    uintptr_t form; /* NULL for a leaf, and the bits below */
    PyObject *a, *b; /* as in Python; NULL is 0.0 */
    uintptr_t origin; /* NULL is None, and the bits below */
    double age;       /* how many nodes had been made */
};

/* Of `_mark`: as __new__ leaves it, None, seen by a pass, among the rare; whether gc knows it;
   whether its grad is among the rare, being of another type than float. */
enum { UNSET, NONE, PASSED, OTHER, MARK = 3, TRACKED = 4, ODD_GRAD = 8, BITS = 15 };

/* Whether in place of the origin there is a dict of what few nodes have, and whether that has the
   data; where a walk is with it. */
enum { RARE = 1, ODD_DATA = 2, OPEN = 4, DONE = 8 };

/* The base of `Form` and `Op`: which row it is here, if it is one, and in which form. */
typedef struct {
    PyObject_HEAD
    int row; /* from 1 */
    unsigned pattern;
    Py_ssize_t arity;
} Kernel;

/* The base of `Mode`. */
enum { AS_NODE, AS_LEAF, BY_PYTHON };

typedef struct {
    PyObject_HEAD
    PyObject *origin;
    int way; /* of these */
} Mode;

static int tracks_all;
static double nodes_made;
static PyTypeObject *form_type, *op_type, *mode_type, *value_type;
static Py_ssize_t items_at; /* where a tuple has its items */

enum { FEW = 3, MOST_FORMS = 4096, ON_STACK = 64 };

/* What the Python code has given in `connect`. */
static PyObject *operate, *form_function, *mode_variable, *python_order;
static PyObject *rows[ROW_COUNT], *forms[ROW_COUNT][4][8]; /* by the number of arguments, and which
                                                              of them are nodes */
static PyObject *wide_forms[ROW_COUNT]; /* of more, by the latter as bytes */

static int is_node(PyObject *x)
{
    return Py_TYPE(x) == value_type;
}

static int is_form(PyObject *x)
{
    return PyObject_TypeCheck(x, form_type) && !((uintptr_t)x & BITS);
}

static PyObject **items_of(PyObject *tuple)
{
    return (PyObject **)((char *)tuple + items_at);
}

static Kernel *form_of(const Node *node)
{
    return (Kernel *)(node->form & ~(uintptr_t)BITS);
}

static int mark_of(const Node *node)
{
    return (int)(node->form & MARK);
}

static void set_mark(Node *node, int mark)
{
    node->form = (node->form & ~(uintptr_t)MARK) | (uintptr_t)mark;
}

static PyObject *origin_of(const Node *node)
{
    return (PyObject *)(node->origin & ~(uintptr_t)BITS);
}

static void replace(PyObject **place, PyObject *by) /* takes the reference over */
{
    PyObject *old = *place;
    *place = by;
    Py_XDECREF(old);
}

/* Returns what few nodes have, borrowed; NULL if this one hasn't. */
static PyObject *rare(const Node *node, const char *name)
{
    return node->origin & RARE ? PyDict_GetItemString(origin_of(node), name) : NULL;
}

/* Gives a node what few have, or with NULL takes it away. */
static int set_rare(Node *node, const char *name, PyObject *value)
{
    if (!value)
        return rare(node, name) ? PyDict_DelItemString(origin_of(node), name) : 0;
    if (!(node->origin & RARE)) {
        PyObject *dict = PyDict_New(), *origin = origin_of(node);
        if (!dict || (origin && PyDict_SetItemString(dict, "origin", origin))) {
            Py_XDECREF(dict);
            return -1;
        }
        node->origin = (uintptr_t)dict | RARE;
        Py_XDECREF(origin);
    }
    return PyDict_SetItemString(origin_of(node), name, value);
}

/* Returns a node with nothing in it. */
static Node *blank(int is_tracked)
{
    Node *node;
    if (is_tracked)
        node = (Node *)PyType_GenericAlloc(value_type, 0);
    else if ((node = PyObject_Malloc(sizeof(Node))))
        PyObject_Init((PyObject *)node, value_type);
    if (!node)
        return (Node *)PyErr_NoMemory();
    node->data = node->grad = 0.0;
    node->form = is_tracked ? TRACKED : 0;
    node->a = node->b = NULL;
    node->origin = 0;
    node->age = ++nodes_made;
    return node;
}

/* More than a number is needed to build a node by hand, which gc has to know. */
static PyObject *node_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    return (PyObject *)blank(tracks_all || kwargs || PyTuple_Size(args) > 1);
}

static void let_go(Node *node)
{
    PyObject *held[] = {(PyObject *)form_of(node), node->a, node->b, origin_of(node)};
    node->form &= BITS;
    node->a = node->b = NULL;
    node->origin = 0;
    for (int i = 0; i < 4; i++)
        Py_XDECREF(held[i]);
}

static Node *waiting;
static int is_freeing;

/* What a node holds is freed after it and not inside of it: a chain may be of any length. */
static void node_dealloc(PyObject *self)
{
    Node *node = (Node *)self;
    if (node->form & TRACKED)
        PyObject_GC_UnTrack(self);
    node->next = waiting;
    waiting = node;
    if (is_freeing)
        return;
    is_freeing = 1;
    while (waiting) {
        node = waiting;
        waiting = node->next;
        let_go(node);
        if (node->form & TRACKED)
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
    Py_VISIT((PyObject *)form_of(node));
    Py_VISIT(node->a);
    Py_VISIT(node->b);
    if (node->origin & RARE)
        Py_VISIT(origin_of(node));
    return 0;
}

static int node_clear(PyObject *self)
{
    let_go((Node *)self);
    return 0;
}

static int is_tracked(PyObject *self)
{
    return ((Node *)self)->form & TRACKED;
}

/* Its slots */

static int refuse_deletion(PyObject *value)
{
    if (!value)
        PyErr_SetString(PyExc_AttributeError, "what a node holds can't be deleted");
    return !value;
}

typedef struct {
    const char *name;
    size_t at, bits_at;
    uintptr_t odd;
} Field;

static Field data_field = {"data", offsetof(Node, data), offsetof(Node, origin), ODD_DATA};
static Field grad_field = {"grad", offsetof(Node, grad), offsetof(Node, form), ODD_GRAD};

static uintptr_t *bits_of(Node *node, const Field *field)
{
    return (uintptr_t *)((char *)node + field->bits_at);
}

static PyObject *get_number(PyObject *self, void *closure)
{
    const Field *field = closure;
    int is_odd = *bits_of((Node *)self, field) & field->odd;
    PyObject *odd = is_odd ? rare((Node *)self, field->name) : NULL;
    return odd ? Py_NewRef(odd) : PyFloat_FromDouble(*(double *)((char *)self + field->at));
}

static int set_float(Node *node, const Field *field, double x)
{
    *(double *)((char *)node + field->at) = x;
    if (!(*bits_of(node, field) & field->odd))
        return 0;
    *bits_of(node, field) &= ~field->odd;
    return set_rare(node, field->name, NULL);
}

static int set_number(PyObject *self, PyObject *value, void *closure)
{
    const Field *field = closure;
    if (refuse_deletion(value))
        return -1;
    if (PyFloat_CheckExact(value))
        return set_float((Node *)self, field, PyFloat_AsDouble(value));
    int failed = set_rare((Node *)self, field->name, value);
    *bits_of((Node *)self, field) |= failed ? 0 : field->odd;
    return failed;
}

static PyObject *get_label(PyObject *self, void *unused)
{
    PyObject *label = rare((Node *)self, "label");
    return label ? Py_NewRef(label) : PyUnicode_FromStringAndSize("", 0);
}

static int set_label(PyObject *self, PyObject *value, void *unused)
{
    if (refuse_deletion(value))
        return -1;
    int is_empty = PyUnicode_CheckExact(value) && !PyUnicode_GetLength(value);
    return set_rare((Node *)self, "label", is_empty ? NULL : value);
}

static PyObject *get_origin(PyObject *self, void *unused)
{
    Node *node = (Node *)self;
    PyObject *origin = node->origin & RARE ? rare(node, "origin") : origin_of(node);
    return Py_NewRef(origin ? origin : Py_None);
}

static int set_origin(PyObject *self, PyObject *value, void *unused)
{
    Node *node = (Node *)self;
    if (refuse_deletion(value))
        return -1;
    if (node->origin & RARE || (uintptr_t)value & BITS)
        return set_rare(node, "origin", value);
    PyObject *old = origin_of(node);
    node->origin = value == Py_None ? 0 : (uintptr_t)Py_NewRef(value);
    Py_XDECREF(old);
    return 0;
}

static PyObject *get_mark(PyObject *self, void *unused)
{
    int mark = mark_of((Node *)self);
    if (mark == UNSET)
        PyErr_SetString(PyExc_AttributeError, "_mark");
    if (mark == UNSET || mark == OTHER)
        return Py_XNewRef(mark == OTHER ? rare((Node *)self, "_mark") : NULL);
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
    PyObject *form = (PyObject *)form_of((Node *)self);
    return Py_NewRef(form ? form : Py_None);
}

static int set_form(PyObject *self, PyObject *value, void *unused)
{
    Node *node = (Node *)self;
    PyObject *old = (PyObject *)form_of(node), *form = value == Py_None ? NULL : value;
    if (refuse_deletion(value))
        return -1;
    if (form && !is_form(form)) {
        PyErr_SetString(PyExc_TypeError, "the _form of a node is a Form, or None");
        return -1;
    }
    if (old && form && !(node->form & TRACKED))
        tracks_all = 1; /* the form of a row gives way to a user's function */
    node->form = (uintptr_t)Py_XNewRef(form) | (node->form & BITS);
    Py_XDECREF(old);
    return 0;
}

static PyObject *get_age(PyObject *self, void *unused)
{
    return PyFloat_FromDouble(((Node *)self)->age);
}

static int set_age(PyObject *self, PyObject *value, void *unused)
{
    ((Node *)self)->age = ++nodes_made; /* by the clock here, which is the finer one */
    return 0;
}

static PyObject *get_slot(PyObject *self, void *offset)
{
    PyObject *held = *(PyObject **)((char *)self + (size_t)offset);
    if ((size_t)offset == offsetof(Node, b) && !form_of((Node *)self))
        return get_age(self, NULL);
    return held ? Py_NewRef(held) : PyFloat_FromDouble(0.0);
}

static int set_slot(PyObject *self, PyObject *value, void *offset)
{
    if (refuse_deletion(value))
        return -1;
    replace((PyObject **)((char *)self + (size_t)offset), Py_NewRef(value));
    return 0;
}

static PyObject *get_op(PyObject *self, void *unused)
{
    Kernel *form = form_of((Node *)self);
    if (!form)
        Py_RETURN_NONE;
    return form->row ? Py_NewRef(rows[form->row - 1])
                     : PyObject_GetAttrString((PyObject *)form, "op");
}

static PyObject *get_args(PyObject *self, void *unused)
{
    PyObject *form = (PyObject *)form_of((Node *)self);
    Py_ssize_t n = form ? ((Kernel *)form)->arity : 0;
    size_t a_at = offsetof(Node, a);
    if (form && !n) { /* one of Python's */
        PyObject *pattern = PyObject_GetAttrString(form, "pattern");
        n = pattern ? PyObject_Size(pattern) : -1;
        Py_XDECREF(pattern);
    }
    if (n < 0 || n > 2)
        return n < 0 ? NULL : get_slot(self, (void *)a_at);
    PyObject *args = PyTuple_New(n);
    for (Py_ssize_t i = 0; args && i < n; i++)
        PyTuple_SetItem(args, i, get_slot(self, (void *)(i ? offsetof(Node, b) : a_at)));
    return args;
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

enum { BASE = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE };

static PyType_Slot node_slots[] = {
    {Py_tp_new, node_new},
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

/* What is noted in forms, ops and modes */

static PyObject *call(PyObject *op, PyObject *args, PyObject *kwargs);

static PyType_Slot form_slots[] = {{0, NULL}}, op_slots[] = {{Py_tp_call, call}, {0, NULL}};

static PyType_Spec form_spec = {
    "autograd._accelerator.FormBase", sizeof(Kernel), 0, BASE, form_slots,
};

static PyType_Spec op_spec = {"autograd._accelerator.OpBase", sizeof(Kernel), 0, BASE, op_slots};

static PyMemberDef mode_members[] = {
    {"origin", T_OBJECT_EX, offsetof(Mode, origin), 0, NULL},
    {"way", T_INT, offsetof(Mode, way), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot mode_slots[] = {{Py_tp_members, mode_members}, {0, NULL}};

static PyType_Spec mode_spec = {
    "autograd._accelerator.ModeBase", sizeof(Mode), 0, BASE, mode_slots,
};

/* Recording */

/* Every CPython exports it, though the limited API leaves it out. */
extern int PyContextVar_Get(PyObject *variable, PyObject *otherwise, PyObject **value)
    __attribute__((weak));

/* Borrowed of the context, so until other code runs. */
static Mode *current_mode(void)
{
    PyObject *mode = NULL;
    if (!PyContextVar_Get)
        mode = PyObject_CallMethod(mode_variable, "get", NULL);
    else if (PyContextVar_Get(mode_variable, NULL, &mode) < 0)
        return NULL;
    Py_XDECREF(mode);
    return (Mode *)mode;
}

/* What an argument is, as far as it matters here. */
enum { FLOAT = 0, NODE = 1, INT = 2, OTHERWISE = 4 };

static int number_of(PyObject *arg, double *x)
{
    if (is_node(arg) && !(((Node *)arg)->origin & ODD_DATA)) {
        *x = ((Node *)arg)->data;
        return NODE;
    }
    if (PyFloat_CheckExact(arg)) {
        *x = PyFloat_AsDouble(arg);
        return FLOAT;
    }
    *x = PyLong_CheckExact(arg) ? PyLong_AsDouble(arg) : NAN;
    if (*x == -1.0 && PyErr_Occurred()) {
        PyErr_Clear(); /* Python words the error */
        return OTHERWISE;
    }
    return isnan(*x) ? OTHERWISE : INT;
}

static PyObject *kept(PyObject *arg, int kind, double x)
{
    return kind == INT ? PyFloat_FromDouble(x) : Py_NewRef(arg);
}

static PyObject *tuple_of(PyObject *const *args, const char *kinds, const double *x, Py_ssize_t n)
{
    PyObject *tuple = PyTuple_New(n);
    for (Py_ssize_t i = 0; tuple && i < n; i++) {
        PyObject *arg = kept(args[i], kinds[i], x[i]);
        if (!arg)
            Py_CLEAR(tuple);
        else
            PyTuple_SetItem(tuple, i, arg);
    }
    return tuple;
}

/* Returns the form of a row with these arguments, borrowed. */
static PyObject *form_for(int row, const char *kinds, Py_ssize_t n)
{
    PyObject *key = PyBytes_FromStringAndSize(NULL, n), *form = NULL;
    if (!key)
        return NULL;
    unsigned pattern = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyBytes_AsString(key)[i] = kinds[i] & NODE;
        pattern |= i < FEW && kinds[i] & NODE ? 1u << i : 0;
    }
    PyObject *known = PyDict_GetItemWithError(wide_forms[row], key);
    if (known || PyErr_Occurred())
        goto end;
    form = PyObject_CallFunctionObjArgs(form_function, rows[row], key, NULL);
    if (form && !is_form(form)) {
        PyErr_SetString(PyExc_SystemError, "a form that is none");
        Py_CLEAR(form);
    }
    if (!form)
        goto end;
    Kernel *kernel = (Kernel *)form;
    kernel->row = row + 1;
    kernel->pattern = pattern;
    kernel->arity = n;
    if (PyDict_Size(wide_forms[row]) >= MOST_FORMS)
        PyDict_Clear(wide_forms[row]);
    if (!PyDict_SetItem(wide_forms[row], key, form))
        known = form;
    if (known && n <= FEW)
        forms[row][n][pattern] = Py_NewRef(form); /* kept for good */
    Py_DECREF(form);
end:
    Py_DECREF(key);
    return known;
}

/* Returns the node of what has been computed; NULL without an error in a mode for Python. */
static PyObject *made(int row, PyObject *const *args, PyObject *whole, const char *kinds,
                      const double *x, Py_ssize_t n, unsigned pattern, double data)
{
    Mode *mode = current_mode();
    if (!mode || mode->way == BY_PYTHON)
        return NULL;
    int way = mode->way;
    PyObject *origin = Py_XNewRef(mode->origin == Py_None ? NULL : mode->origin);
    Node *node = blank(tracks_all);
    if (!node) {
        Py_XDECREF(origin);
        return NULL;
    }
    node->data = data;
    node->form |= NONE;
    node->origin = (uintptr_t)origin;
    if (way == AS_LEAF)
        return (PyObject *)node;
    PyObject *form = n <= FEW ? forms[row][n][pattern] : NULL;
    if (form || (form = form_for(row, kinds, n))) {
        node->form |= (uintptr_t)Py_NewRef(form);
        node->a = n < 3 ? kept(args[0], kinds[0], x[0])
                  : whole ? Py_NewRef(whole)
                          : tuple_of(args, kinds, x, n);
        node->b = n == 2 ? kept(args[1], kinds[1], x[1]) : NULL;
        if (node->a && (node->b || n != 2))
            return (PyObject *)node;
    }
    Py_DECREF((PyObject *)node);
    return NULL;
}

/* Returns a row of nodes and plain numbers; NULL, maybe without an error, where Python must.
   `whole` is their tuple, if there is one. */
static inline PyObject *recorded(int row, PyObject *const *args, Py_ssize_t n, PyObject *whole)
{
    double on_stack[ON_STACK], *x = on_stack;
    char kinds_on_stack[ON_STACK], *kinds = kinds_on_stack;
    PyObject *result = NULL;
    if (!operate)
        return PyErr_Format(PyExc_RuntimeError, "autograd has not been loaded to its end");
    if (n > ON_STACK) {
        if (!(x = PyMem_Malloc((size_t)n * (sizeof(double) + 1))))
            return PyErr_NoMemory();
        kinds = (char *)(x + n);
    }
    unsigned pattern = 0;
    int all = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        kinds[i] = (char)number_of(args[i], &x[i]);
        all |= kinds[i];
        pattern |= i < FEW && kinds[i] & NODE ? 1u << i : 0;
    }
    double data = all & OTHERWISE ? NAN : ROWS[row].forward(x, n);
    if (isfinite(data))
        result = !(all & NODE) ? PyFloat_FromDouble(data)
                               : made(row, args, all & INT ? NULL : whole, kinds, x, n, pattern,
                                      data);
    if (x != on_stack)
        PyMem_Free(x);
    return result;
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

static PyObject *unary(int row, PyObject *x)
{
    PyObject *node = recorded(row, &x, 1, NULL);
    return node || PyErr_Occurred() ? node : PyObject_CallMethod(rows[row], "_call", "O", x);
}

static PyObject *binary(int row, PyObject *x, PyObject *y)
{
    PyObject *args[2] = {x, y}, *node = recorded(row, args, 2, NULL);
    if (node || PyErr_Occurred())
        return node;
    return PyObject_CallFunctionObjArgs(operate, rows[row], x, y, NULL);
}

/* In place of `Op.__call__`: that one, unless it is one of the rows here, of nodes and numbers. */
static PyObject *call(PyObject *op, PyObject *args, PyObject *kwargs)
{
    int row = ((Kernel *)op)->row - 1;
    Py_ssize_t n = PyTuple_Size(args);
    if (row >= 0 && !kwargs && (ROWS[row].arity < 0 ? n > 0 : ROWS[row].arity == n)) {
        PyObject *result = recorded(row, items_of(args), n, args);
        if (result || PyErr_Occurred())
            return result;
    }
    PyObject *by_python = PyObject_GetAttrString(op, "_call");
    PyObject *result = by_python ? PyObject_Call(by_python, args, kwargs) : NULL;
    Py_XDECREF(by_python);
    return result;
}

/* The order of a backward pass, and of any walk, as `autograd.schedule` and `graph` have it */

typedef struct {
    Node **items;
    Py_ssize_t used, size;
} Stack;

static int push(Stack *stack, Node *node)
{
    if (stack->used == stack->size) {
        stack->size = 2 * stack->size + 256;
        Node **items = PyMem_Realloc(stack->items, (size_t)stack->size * sizeof(Node *));
        if (!items) {
            PyErr_NoMemory();
            return -1;
        }
        stack->items = items;
    }
    stack->items[stack->used++] = node;
    return 0;
}

static int visit(PyObject *arg, Stack *stack)
{
    if (!arg || PyFloat_CheckExact(arg))
        return 0;
    if (!is_node(arg)) {
        PyErr_SetString(PyExc_AttributeError, "an argument of a node is no Value");
        return -1;
    }
    if (((Node *)arg)->origin & OPEN)
        return -1; /* a cycle */
    return ((Node *)arg)->origin & DONE ? 0 : push(stack, (Node *)arg);
}

static int visit_arguments(Node *node, Stack *stack)
{
    if (!node->a || !PyTuple_CheckExact(node->a))
        return visit(node->b, stack) || visit(node->a, stack);
    for (Py_ssize_t i = PyTuple_Size(node->a); i-- > 0;)
        if (visit(items_of(node->a)[i], stack))
            return -1;
    return 0;
}

static void clear(const Stack *nodes)
{
    for (Py_ssize_t i = 0; i < nodes->used; i++)
        nodes->items[i]->origin &= ~(uintptr_t)(OPEN | DONE);
}

/* Puts some nodes and all before them into an order, each after its arguments. `ends` are left out,
   and so is what is before them, or before nodes that are older than `since`. */
static int put_in_order(PyObject *roots, PyObject *ends, double since, Stack *order)
{
    Stack stack = {NULL, 0, 0};
    int failed = 0;
    for (Py_ssize_t i = ends ? PyTuple_Size(ends) : 0; i-- > 0;)
        ((Node *)items_of(ends)[i])->origin |= DONE;
    for (Py_ssize_t i = PyTuple_Size(roots); i-- > 0 && !failed;)
        failed = push(&stack, (Node *)items_of(roots)[i]);
    while (stack.used && !failed) {
        Node *node = stack.items[stack.used - 1];
        if (node->origin & DONE)
            stack.used--;
        else if (node->origin & OPEN || !form_of(node) || node->age < since) {
            stack.used--;
            node->origin = (node->origin & ~(uintptr_t)OPEN) | DONE;
            failed = push(order, node);
        } else {
            node->origin |= OPEN;
            failed = visit_arguments(node, &stack);
        }
    }
    clear(&stack);
    clear(order);
    for (Py_ssize_t i = ends ? PyTuple_Size(ends) : 0; i-- > 0;)
        ((Node *)items_of(ends)[i])->origin &= ~(uintptr_t)DONE;
    PyMem_Free(stack.items);
    return failed;
}

static int are_nodes(PyObject *tuple)
{
    Py_ssize_t n = PyTuple_Size(tuple);
    while (n && is_node(items_of(tuple)[n - 1]))
        n--;
    return !n;
}

/* `autograd.graph.topological_order`; that one has to word the error, or what is no Value. */
static PyObject *topological_order(PyObject *module, PyObject *roots, PyObject *kwargs)
{
    Stack order = {NULL, 0, 0};
    PyObject *given = kwargs ? PyDict_GetItemString(kwargs, "ends") : NULL, *list = NULL;
    PyObject *since = kwargs ? PyDict_GetItemString(kwargs, "since") : NULL;
    PyObject *ends = given && PyList_CheckExact(given) ? PyList_AsTuple(given) : NULL;
    Py_ssize_t known = !!ends + (since && PyFloat_CheckExact(since));
    int failed = kwargs && PyDict_Size(kwargs) > known;
    failed = failed || !are_nodes(roots) || (ends && !are_nodes(ends))
             || put_in_order(roots, ends, since ? PyFloat_AsDouble(since) : 0.0, &order);
    if (failed && !PyErr_Occurred())
        list = PyObject_Call(python_order, roots, kwargs);
    else if (!failed && (list = PyList_New(order.used)))
        for (Py_ssize_t i = 0; i < order.used; i++)
            PyList_SetItem(list, i, Py_NewRef((PyObject *)order.items[i]));
    PyMem_Free(order.items);
    Py_XDECREF(ends);
    return list;
}

static PyObject *backward_order(PyObject *module, PyObject *root)
{
    Stack order = {NULL, 0, 0};
    if (!is_node(root))
        return PyErr_Format(PyExc_TypeError, "the order of a Value, not of %R", root);
    if (!form_of((Node *)root))
        return Py_BuildValue("[][O]", root);
    PyObject *roots = PyTuple_Pack(1, root), *inner = NULL, *leaves = PyList_New(0), *both = NULL;
    int failed = !roots || !leaves || put_in_order(roots, NULL, 0.0, &order);
    if (failed && !PyErr_Occurred())
        both = PyObject_Call(python_order, roots, NULL); /* raises the CycleError */
    else if (!failed)
        failed = !(inner = PyList_New(order.used));
    Py_ssize_t n = 0;
    for (Py_ssize_t i = 0; i < order.used && !failed; i++) {
        Node *node = order.items[i];
        set_mark(node, PASSED);
        if (form_of(node)) {
            PyList_SetItem(inner, n++, Py_NewRef((PyObject *)node));
            failed = set_float(node, &grad_field, 0.0);
        } else
            failed = PyList_Append(leaves, (PyObject *)node);
    }
    if (!failed && !PyList_SetSlice(inner, n, order.used, NULL))
        both = PyTuple_Pack(2, inner, leaves);
    PyMem_Free(order.items);
    Py_XDECREF(roots);
    Py_XDECREF(inner);
    Py_XDECREF(leaves);
    return both;
}

/* The backward pass */

static int has_floats(PyObject *node)
{
    return !(((Node *)node)->origin & ODD_DATA) && !(((Node *)node)->form & ODD_GRAD);
}

/* These return whether they have passed on what a node has got; else Python must. */

static int pulled_few(Node *node, int row, unsigned pattern, Py_ssize_t n)
{
    PyObject *pair[2] = {node->a, node->b}, **args = n > 2 ? items_of(node->a) : pair;
    double x[FEW], passed[FEW];
    Pull pull = ROWS[row].pulls[pattern];
    for (Py_ssize_t i = 0; i < n; i++)
        if (!args[i] || number_of(args[i], &x[i]) != (int)(pattern >> i & 1)
            || (is_node(args[i]) && !has_floats(args[i])))
            return 0;
    if (!pull || pull(node->grad, node->data, x, passed))
        return 0;
    for (Py_ssize_t i = 0; i < n; i++)
        if (pattern >> i & 1)
            ((Node *)args[i])->grad += passed[i];
    return 1;
}

static int pulled_wide(Node *node, int row, Py_ssize_t n)
{
    PyObject *pair[2] = {node->a, node->b}, **args = n > 2 ? items_of(node->a) : pair;
    Py_ssize_t weights = ROWS[row].arity == WEIGHTED ? n / 2 : 0;
    double g = node->grad, factor;
    for (Py_ssize_t i = 0; i < n; i++)
        if (!args[i] || number_of(args[i], &factor) > NODE
            || (is_node(args[i]) && !has_floats(args[i])))
            return 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        if (!is_node(args[i]))
            continue;
        if (i < 2 * weights)
            number_of(args[i < weights ? i + weights : i - weights], &factor);
        ((Node *)args[i])->grad += i < 2 * weights ? g * factor : g;
    }
    return 1;
}

static int pulled(Node *node)
{
    Kernel *kernel = form_of(node); /* which a user's function may have taken away */
    Py_ssize_t n = kernel ? kernel->arity : 0;
    if (!n || !kernel->row || !has_floats((PyObject *)node) || !node->a)
        return 0;
    if (n > 2 && !(PyTuple_CheckExact(node->a) && PyTuple_Size(node->a) == n))
        return 0;
    return ROWS[kernel->row - 1].arity < 0
               ? pulled_wide(node, kernel->row - 1, n)
               : pulled_few(node, kernel->row - 1, kernel->pattern, n);
}

/* Returns whether it has failed. */
static int pulled_by_python(Node *node)
{
    PyObject *form = get_form((PyObject *)node, NULL);
    PyObject *grad = get_number((PyObject *)node, &grad_field);
    PyObject *done = grad ? PyObject_CallMethod(form, "pull", "OO", node, grad) : NULL;
    Py_XDECREF(grad);
    Py_DECREF(form);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

static PyObject *pull_back(PyObject *module, PyObject *order)
{
    if (!PyList_CheckExact(order))
        return PyErr_Format(PyExc_TypeError, "an order is a list, not %R", order);
    for (Py_ssize_t i = PyList_Size(order); i-- > 0;) {
        PyObject *node = PyList_GetItem(order, i);
        if (!node || !is_node(node))
            return PyErr_Format(PyExc_TypeError, "an order is of Values");
        if (!pulled((Node *)node) && pulled_by_python((Node *)node))
            return NULL;
    }
    Py_RETURN_NONE;
}

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
    PyObject *table, *kept[4];
    if (!PyArg_ParseTuple(given, "O!OOOO", &PyDict_Type, &table, &kept[0], &kept[1], &kept[2],
                          &kept[3]))
        return NULL;
    for (int i = 0; i < ROW_COUNT; i++) {
        rows[i] = Py_XNewRef(PyDict_GetItemString(table, ROWS[i].name));
        wide_forms[i] = PyDict_New();
        if (!rows[i] || !wide_forms[i] || !PyObject_TypeCheck(rows[i], op_type))
            return PyErr_Format(PyExc_ImportError, "the table has no row %s", ROWS[i].name);
        ((Kernel *)rows[i])->row = i + 1;
    }
    form_function = Py_NewRef(kept[1]);
    mode_variable = Py_NewRef(kept[2]);
    python_order = Py_NewRef(kept[3]);
    operate = Py_NewRef(kept[0]);
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"value_of", value_of, METH_O, NULL},
    {"connect", connect, METH_VARARGS, NULL},
    {"topological_order", (PyCFunction)(void (*)(void))topological_order,
     METH_VARARGS | METH_KEYWORDS, NULL},
    {"backward_order", backward_order, METH_O, NULL},
    {"pull_back", pull_back, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

/* Finds out where a tuple has its items: at the end of what all tuples have. */
static int found_items(void)
{
    PyObject *size = PyObject_GetAttrString((PyObject *)&PyTuple_Type, "__basicsize__");
    PyObject *tuple = size ? PyTuple_Pack(2, size, Py_None) : NULL;
    items_at = size ? PyLong_AsSsize_t(size) : 0;
    int found = tuple && items_of(tuple)[0] == size && items_of(tuple)[1] == Py_None;
    Py_XDECREF(size);
    Py_XDECREF(tuple);
    return found;
}

/* For compiled code: where the number is, and where the bits that say if it is something else. */
static PyObject *layout_of(const Field *field)
{
    return Py_BuildValue("nnn", (Py_ssize_t)field->at, (Py_ssize_t)field->bits_at,
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
