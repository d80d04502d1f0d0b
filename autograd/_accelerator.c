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

_Static_assert(sizeof(void *) == 8, "four bits of a pointer to a form are used for marks");

/* A row of the table, as it is generated. */

typedef double (*Forward)(const double *x);

/* Computes what each argument gets; returns whether the Python code must have a closer look. */
typedef int (*Pull)(double g, double out, const double *x, double *passed);

typedef struct {
    const char *name;
    int arity; /* or one of these */
    Forward forward;
    Pull pulls[8]; /* by which of the arguments are nodes, the first being 1 */
} Row;

enum { SUM = -1, WEIGHTED = -2 };

static PyObject *unary(int row, PyObject *x);
static PyObject *binary(int row, PyObject *x, PyObject *y);
static PyObject *power(int row, PyObject *x, PyObject *y, PyObject *modulus);

#include "_rows.h"

/* The node */

/* What few nodes have; NULL stands for what the others have. */
typedef struct {
    PyObject *label, *origin, *mark;
    PyObject *data, *grad; /* in place of the floats, if they are of another type */
} Rare;

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
    union {
        PyObject *origin; /* NULL is None */
        Rare *rare;
    };
};

/* Of `_mark`: as __new__ leaves it, None, seen by a pass, by the pass that is on, or in `rare`. */
enum { UNSET, NONE, PASSED, OPEN, DONE, OTHER, MARK = 7, RARE = 8, BITS = 15 };

/* The base of `autograd.forms.Form`: which row computes it here, if one does. */
typedef struct {
    PyObject_HEAD
    int row; /* from 1 */
    unsigned pattern;
    Py_ssize_t arity;
} Kernel;

static int tracks_all;
static PyTypeObject *kernel_type, *value_type, *hand_built_type;

/* What the Python code has given in `connect`. */
static PyObject *record, *operate, *form_function, *mode_variable, *ages, *topological_order;
static PyObject *python_call, *rows_by_op, *rows[ROW_COUNT], *forms[ROW_COUNT][8];
static PyObject *wide_forms[ROW_COUNT]; /* by pattern, as bytes */

enum { MOST_FORMS = 4096 };

static int is_node(PyObject *x)
{
    return Py_TYPE(x) == value_type || Py_TYPE(x) == hand_built_type;
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

static Rare *rare_of(const Node *node)
{
    return node->form & RARE ? node->rare : NULL;
}

static int has_plain_data(const Node *node)
{
    return !(node->form & RARE) || !node->rare->data;
}

static int has_plain_grad(const Node *node)
{
    return !(node->form & RARE) || !node->rare->grad;
}

static Rare *made_rare(Node *node)
{
    if (!(node->form & RARE)) {
        Rare *rare = PyMem_Calloc(1, sizeof(Rare));
        if (!rare) {
            PyErr_NoMemory();
            return NULL;
        }
        rare->origin = node->origin;
        node->rare = rare;
        node->form |= RARE;
    }
    return node->rare;
}

static void replace(PyObject **place, PyObject *by) /* takes the reference over */
{
    PyObject *old = *place;
    *place = by;
    Py_XDECREF(old);
}

static void set_grad(Node *node, double grad)
{
    node->grad = grad;
    if (!has_plain_grad(node))
        replace(&node->rare->grad, NULL);
}

static PyObject *node_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *label = PyTuple_Size(args) > 1 ? PyTuple_GetItem(args, 1) : NULL;
    Py_ssize_t named = kwargs ? PyDict_Size(kwargs) : 0;
    if (named && PyDict_GetItemString(kwargs, "label"))
        named--;
    if (named && PyDict_GetItemString(kwargs, "data"))
        named--;
    int is_by_hand = PyTuple_Size(args) > 2 || named || (label && !PyUnicode_Check(label));
    if (type == value_type && (is_by_hand || tracks_all))
        type = hand_built_type;
    return ((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
}

static void let_go(Node *node)
{
    Rare *rare = rare_of(node);
    Py_XDECREF((PyObject *)form_of(node));
    Py_XDECREF(node->a);
    Py_XDECREF(node->b);
    if (!rare) {
        Py_XDECREF(node->origin);
        return;
    }
    Py_XDECREF(rare->label);
    Py_XDECREF(rare->origin);
    Py_XDECREF(rare->mark);
    Py_XDECREF(rare->data);
    Py_XDECREF(rare->grad);
    PyMem_Free(rare);
}

static Node *waiting;
static int is_freeing;

/* What a node holds is freed after it and not inside of it: a chain may be of any length. */
static void node_dealloc(PyObject *self)
{
    Node *node = (Node *)self;
    node->next = waiting;
    waiting = node;
    if (is_freeing)
        return;
    is_freeing = 1;
    while (waiting) {
        node = waiting;
        waiting = node->next;
        PyTypeObject *type = Py_TYPE((PyObject *)node);
        let_go(node);
        if (type == hand_built_type)
            PyObject_GC_Del(node);
        else
            PyObject_Free(node);
        Py_DECREF(type);
    }
    is_freeing = 0;
}

static PyObject *get_data(PyObject *self, void *unused)
{
    Node *node = (Node *)self;
    return has_plain_data(node) ? PyFloat_FromDouble(node->data) : Py_NewRef(node->rare->data);
}

static PyObject *get_grad(PyObject *self, void *unused)
{
    Node *node = (Node *)self;
    return has_plain_grad(node) ? PyFloat_FromDouble(node->grad) : Py_NewRef(node->rare->grad);
}

static int refuse_deletion(PyObject *value)
{
    if (!value)
        PyErr_SetString(PyExc_AttributeError, "what a node holds can't be deleted");
    return !value;
}

static int set_data(PyObject *self, PyObject *value, void *unused)
{
    Node *node = (Node *)self;
    if (refuse_deletion(value))
        return -1;
    if (PyFloat_CheckExact(value)) {
        node->data = PyFloat_AsDouble(value);
        if (!has_plain_data(node))
            replace(&node->rare->data, NULL);
        return 0;
    }
    if (!made_rare(node))
        return -1;
    replace(&node->rare->data, Py_NewRef(value));
    return 0;
}

static int set_grad_object(PyObject *self, PyObject *value, void *unused)
{
    Node *node = (Node *)self;
    if (refuse_deletion(value))
        return -1;
    if (PyFloat_CheckExact(value)) {
        set_grad(node, PyFloat_AsDouble(value));
        return 0;
    }
    if (!made_rare(node))
        return -1;
    replace(&node->rare->grad, Py_NewRef(value));
    return 0;
}

static PyObject *get_label(PyObject *self, void *unused)
{
    Rare *rare = rare_of((Node *)self);
    return rare && rare->label ? Py_NewRef(rare->label) : PyUnicode_FromStringAndSize("", 0);
}

static int set_label(PyObject *self, PyObject *value, void *unused)
{
    Node *node = (Node *)self;
    if (refuse_deletion(value))
        return -1;
    int is_empty = PyUnicode_CheckExact(value) && !PyUnicode_GetLength(value);
    if (is_empty && !rare_of(node))
        return 0;
    if (!made_rare(node))
        return -1;
    replace(&node->rare->label, is_empty ? NULL : Py_NewRef(value));
    return 0;
}

static PyObject *get_origin(PyObject *self, void *unused)
{
    Node *node = (Node *)self;
    PyObject *origin = rare_of(node) ? node->rare->origin : node->origin;
    return Py_NewRef(origin ? origin : Py_None);
}

static int set_origin(PyObject *self, PyObject *value, void *unused)
{
    Node *node = (Node *)self;
    if (refuse_deletion(value))
        return -1;
    PyObject **place = rare_of(node) ? &node->rare->origin : &node->origin;
    replace(place, value == Py_None ? NULL : Py_NewRef(value));
    return 0;
}

static PyObject *get_mark(PyObject *self, void *unused)
{
    Node *node = (Node *)self;
    if (mark_of(node) == UNSET) {
        PyErr_SetString(PyExc_AttributeError, "_mark");
        return NULL;
    }
    if (mark_of(node) == OTHER)
        return Py_NewRef(node->rare->mark);
    return Py_NewRef(mark_of(node) == NONE ? Py_None : Py_True);
}

static int set_mark_object(PyObject *self, PyObject *value, void *unused)
{
    Node *node = (Node *)self;
    if (refuse_deletion(value))
        return -1;
    if (value == Py_None || value == Py_True) {
        set_mark(node, value == Py_None ? NONE : PASSED);
        return 0;
    }
    if (!made_rare(node))
        return -1;
    replace(&node->rare->mark, Py_NewRef(value));
    set_mark(node, OTHER);
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
    PyObject *old = (PyObject *)form_of(node);
    if (refuse_deletion(value))
        return -1;
    if (value != Py_None && (!PyObject_TypeCheck(value, kernel_type) || (uintptr_t)value & BITS)) {
        PyErr_SetString(PyExc_TypeError, "the _form of a node is a Form, or None");
        return -1;
    }
    if (old && value != Py_None && Py_TYPE(self) == value_type)
        tracks_all = 1; /* the form of a row gives way to a user's function */
    uintptr_t made = value == Py_None ? 0 : (uintptr_t)Py_NewRef(value);
    node->form = made | (node->form & BITS);
    Py_XDECREF(old);
    return 0;
}

/* The argument slots, by their offsets. */

static PyObject *get_slot(PyObject *self, void *offset)
{
    PyObject *held = *(PyObject **)((char *)self + (size_t)offset);
    return held ? Py_NewRef(held) : PyFloat_FromDouble(0.0);
}

static int set_slot(PyObject *self, PyObject *value, void *offset)
{
    if (refuse_deletion(value))
        return -1;
    replace((PyObject **)((char *)self + (size_t)offset), Py_NewRef(value));
    return 0;
}

static PyGetSetDef node_getset[] = {
    {"data", get_data, set_data, NULL, NULL},
    {"grad", get_grad, set_grad_object, NULL, NULL},
    {"label", get_label, set_label, NULL, NULL},
    {"origin", get_origin, set_origin, NULL, NULL},
    {"_mark", get_mark, set_mark_object, NULL, NULL},
    {"_form", get_form, set_form, NULL, NULL},
    {"_a", get_slot, set_slot, NULL, (void *)offsetof(Node, a)},
    {"_b", get_slot, set_slot, NULL, (void *)offsetof(Node, b)},
    {NULL, NULL, NULL, NULL, NULL},
};

/* Operands are known to gc, as all classes of Python are; that a type has a way of its own to be
   traversed, and not the flag, is how it is not. */
static int not_traversed(PyObject *self, visitproc visit, void *arg)
{
    return 0;
}

static PyType_Slot node_slots[] = {
    {Py_tp_new, node_new},
    {Py_tp_dealloc, node_dealloc},
    {Py_tp_traverse, not_traversed},
    {Py_tp_free, PyObject_Free},
    {Py_tp_getset, node_getset},
    {Py_tp_methods, row_methods},
    ROW_SLOTS
    {0, NULL},
};

static PyType_Spec node_spec = {
    "autograd.engine.Value", sizeof(Node), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    node_slots,
};

static PyType_Slot kernel_slots[] = {{0, NULL}};

static PyType_Spec kernel_spec = {
    "autograd._accelerator.FormBase", sizeof(Kernel), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    kernel_slots,
};

/* Nodes built by hand: Values that Python's gc knows */

static int hand_built_traverse(PyObject *self, visitproc visit, void *arg)
{
    Node *node = (Node *)self;
    Rare *rare = rare_of(node);
    Py_VISIT(Py_TYPE(self));
    Py_VISIT((PyObject *)form_of(node));
    Py_VISIT(node->a);
    Py_VISIT(node->b);
    if (rare) {
        Py_VISIT(rare->mark);
        Py_VISIT(rare->data);
        Py_VISIT(rare->grad);
    }
    return 0;
}

static int hand_built_clear(PyObject *self)
{
    Node *node = (Node *)self;
    PyObject *form = (PyObject *)form_of(node);
    node->form &= BITS;
    Py_XDECREF(form);
    Py_CLEAR(node->a);
    Py_CLEAR(node->b);
    if (rare_of(node)) {
        Py_CLEAR(node->rare->data);
        Py_CLEAR(node->rare->grad);
    }
    return 0;
}

static void hand_built_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    node_dealloc(self);
}

static PyObject *get_class(PyObject *self, void *unused)
{
    return Py_NewRef((PyObject *)value_type);
}

static PyGetSetDef hand_built_getset[] = {
    {"__class__", get_class, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot hand_built_slots[] = {
    {Py_tp_dealloc, hand_built_dealloc},
    {Py_tp_traverse, hand_built_traverse},
    {Py_tp_clear, hand_built_clear},
    {Py_tp_free, PyObject_GC_Del},
    {Py_tp_getset, hand_built_getset},
    {0, NULL},
};

static PyType_Spec hand_built_spec = {
    "autograd.engine.Value", sizeof(Node), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    hand_built_slots,
};

/* The mode in which is recorded */

enum { BY_PYTHON, AS_LEAF, AS_NODE };

typedef struct {
    PyObject *mode, *origin;
    int way;
} View;

enum { VIEWS = 64 };

static View views[VIEWS];
static View by_python = {NULL, NULL, BY_PYTHON};

/* Every CPython exports it, though the limited API leaves it out. */
extern int PyContextVar_Get(PyObject *variable, PyObject *otherwise, PyObject **value)
    __attribute__((weak));

static int is_none(PyObject *mode, const char *name)
{
    PyObject *found = PyObject_GetAttrString(mode, name);
    Py_XDECREF(found);
    return found ? found == Py_None : -1;
}

static View *view_of(PyObject *mode)
{
    View *view = &views[((uintptr_t)mode >> 4) % VIEWS];
    if (view->mode == mode)
        return view;
    int no_debug = is_none(mode, "debug"), no_tracing = is_none(mode, "tracing");
    if (no_debug < 0 || no_tracing < 0)
        return NULL;
    if (!no_debug || !no_tracing)
        return &by_python; /* not kept: it would keep alive what was traced */
    PyObject *grad = PyObject_GetAttrString(mode, "grad");
    int is_graph = grad ? PyObject_IsTrue(grad) : -1;
    Py_XDECREF(grad);
    if (is_graph < 0)
        return NULL;
    PyObject *origin = PyObject_GetAttrString(mode, "origin");
    if (!origin)
        return NULL;
    if (origin == Py_None)
        Py_CLEAR(origin);
    view->way = is_graph ? AS_NODE : AS_LEAF;
    replace(&view->origin, origin);
    replace(&view->mode, Py_NewRef(mode));
    return view;
}

static View *current_view(void)
{
    PyObject *mode = NULL;
    if (!PyContextVar_Get)
        mode = PyObject_CallMethod(mode_variable, "get", NULL);
    else if (PyContextVar_Get(mode_variable, NULL, &mode) < 0)
        return NULL;
    if (!mode)
        return NULL;
    View *view = view_of(mode);
    Py_DECREF(mode);
    return view;
}

/* Recording */

static PyObject *made(const View *view, double data, PyObject *form, PyObject *a, PyObject *b)
{
    Node *node;
    if (tracks_all)
        node = (Node *)PyType_GenericAlloc(hand_built_type, 0);
    else if ((node = PyObject_Malloc(sizeof(Node))))
        PyObject_Init((PyObject *)node, value_type);
    if (!node)
        return PyErr_NoMemory();
    node->data = data;
    node->grad = 0.0;
    node->origin = view->origin;
    Py_XINCREF(node->origin);
    node->form = NONE;
    node->a = node->b = NULL;
    if (view->way == AS_LEAF) {
        node->b = PyIter_Next(ages);
        if (!node->b) {
            Py_DECREF(node);
            return NULL;
        }
        return (PyObject *)node;
    }
    node->form |= (uintptr_t)Py_NewRef(form);
    node->a = Py_NewRef(a);
    node->b = b;
    Py_XINCREF(b);
    return (PyObject *)node;
}

/* The form is borrowed. */
static PyObject *form_for(int row, PyObject *bytes)
{
    PyObject *known = PyDict_GetItemWithError(wide_forms[row], bytes);
    if (known || PyErr_Occurred())
        return known;
    Py_ssize_t n = PyBytes_Size(bytes);
    const char *is_node_at = PyBytes_AsString(bytes);
    PyObject *pattern = PyTuple_New(n);
    if (!pattern)
        return NULL;
    unsigned bits = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyTuple_SetItem(pattern, i, PyBool_FromLong(is_node_at[i]));
        if (i < 3 && is_node_at[i])
            bits |= 1u << i;
    }
    PyObject *form = PyObject_CallFunctionObjArgs(form_function, rows[row], pattern, NULL);
    Py_DECREF(pattern);
    if (!form)
        return NULL;
    if (!PyObject_TypeCheck(form, kernel_type) || (uintptr_t)form & BITS) {
        PyErr_SetString(PyExc_SystemError, "a form that is none");
        Py_DECREF(form);
        return NULL;
    }
    Kernel *kernel = (Kernel *)form;
    kernel->row = row + 1;
    kernel->pattern = bits;
    kernel->arity = n;
    if (PyDict_Size(wide_forms[row]) >= MOST_FORMS)
        PyDict_Clear(wide_forms[row]);
    int failed = PyDict_SetItem(wide_forms[row], bytes, form);
    Py_DECREF(form);
    return failed ? NULL : form;
}

static PyObject *form_at(int row, int n, unsigned pattern)
{
    char is_node_at[3];
    for (int i = 0; i < n; i++)
        is_node_at[i] = pattern >> i & 1;
    PyObject *bytes = PyBytes_FromStringAndSize(is_node_at, n);
    if (!bytes)
        return NULL;
    PyObject *form = form_for(row, bytes);
    Py_DECREF(bytes);
    Py_XINCREF(form);
    forms[row][pattern] = form; /* kept for good */
    return form;
}

static PyObject *tuple_of(int n, PyObject *const *args)
{
    PyObject *tuple = PyTuple_New(n);
    if (tuple)
        for (int i = 0; i < n; i++)
            PyTuple_SetItem(tuple, i, Py_NewRef(args[i]));
    return tuple;
}

static PyObject *by_record(int row, PyObject *args) /* takes the reference over */
{
    if (!args)
        return NULL;
    if (!record) {
        Py_DECREF(args);
        return PyErr_Format(PyExc_RuntimeError, "autograd has not been loaded to its end");
    }
    PyObject *node = PyObject_CallFunctionObjArgs(record, rows[row], args, NULL);
    Py_DECREF(args);
    return node;
}

/* Records a row of one, two or three arguments, nodes and floats. Which mode is current is asked
   last, as any Python code may make another one current in its place. */
static PyObject *recorded(int row, int n, PyObject *const *args)
{
    double x[3];
    unsigned pattern = 0;
    for (int i = 0; i < n; i++) {
        Node *node = is_node(args[i]) ? (Node *)args[i] : NULL;
        if (node && !has_plain_data(node))
            return by_record(row, tuple_of(n, args));
        x[i] = node ? node->data : PyFloat_AsDouble(args[i]);
        pattern |= node ? 1u << i : 0;
    }
    double data = record ? ROWS[row].forward(x) : NAN;
    if (!isfinite(data))
        return by_record(row, tuple_of(n, args));
    PyObject *form = forms[row][pattern], *whole = n > 2 ? tuple_of(n, args) : NULL, *node = NULL;
    if ((form || (form = form_at(row, n, pattern))) && (whole || n < 3)) {
        View *view = current_view();
        if (view && view->way == BY_PYTHON)
            node = by_record(row, tuple_of(n, args));
        else if (view)
            node = made(view, data, form, whole ? whole : args[0], n == 2 ? args[1] : NULL);
    }
    Py_XDECREF(whole);
    return node;
}

/* Sums and weighted sums, from left to right. */

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

enum { ON_STACK = 64 };

static PyObject *recorded_wide(int row, PyObject *args)
{
    Py_ssize_t n = PyTuple_Size(args);
    double few[ON_STACK], *x = n <= ON_STACK ? few : PyMem_Malloc((size_t)n * sizeof(double));
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, n), *node = NULL;
    if (!x || !bytes) {
        PyErr_NoMemory();
        goto end;
    }
    char *is_node_at = PyBytes_AsString(bytes);
    int is_plain = 1;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *arg = PyTuple_GetItem(args, i);
        is_node_at[i] = (char)is_node(arg);
        if (!is_node_at[i])
            x[i] = PyFloat_AsDouble(arg);
        else if (has_plain_data((Node *)arg))
            x[i] = ((Node *)arg)->data;
        else
            is_plain = 0;
    }
    double data = NAN;
    if (is_plain)
        data = ROWS[row].arity == SUM ? sum_of(x, n) : weighted_sum_of(x, n);
    PyObject *form = isfinite(data) ? form_for(row, bytes) : NULL;
    View *view = form ? current_view() : NULL;
    if (!PyErr_Occurred() && (!view || view->way == BY_PYTHON))
        node = by_record(row, Py_NewRef(args));
    else if (view) {
        PyObject *first = n > 2 ? args : PyTuple_GetItem(args, 0);
        node = made(view, data, form, first, n == 2 ? PyTuple_GetItem(args, 1) : NULL);
    }
end:
    Py_XDECREF(bytes);
    if (x != few)
        PyMem_Free(x);
    return node;
}

static PyObject *unary(int row, PyObject *x)
{
    return recorded(row, 1, &x);
}

/* Returns x if it is a node or a float, an int as a float; NULL, maybe without an error, if not. */
static PyObject *number(PyObject *x)
{
    if (is_node(x) || PyFloat_CheckExact(x))
        return Py_NewRef(x);
    if (!PyLong_CheckExact(x))
        return NULL;
    double as_float = PyLong_AsDouble(x);
    if (as_float == -1.0 && PyErr_Occurred()) {
        PyErr_Clear(); /* Python words the error */
        return NULL;
    }
    return PyFloat_FromDouble(as_float);
}

static PyObject *binary(int row, PyObject *x, PyObject *y)
{
    PyObject *args[2] = {number(x), number(y)}, *node = NULL;
    if ((args[0] && args[1]) || !record)
        node = recorded(row, 2, args);
    else if (!PyErr_Occurred())
        node = PyObject_CallFunctionObjArgs(operate, rows[row], x, y, NULL);
    Py_XDECREF(args[0]);
    Py_XDECREF(args[1]);
    return node;
}

static PyObject *power(int row, PyObject *x, PyObject *y, PyObject *modulus)
{
    if (modulus != Py_None)
        return PyErr_Format(PyExc_TypeError, "a power of a Value has no modulus");
    return binary(row, x, y);
}

/* In place of `Op.__call__`: that one, unless it is one of the rows here, of nodes and numbers. */
static PyObject *call(PyObject *op, PyObject *args, PyObject *kwargs)
{
    Py_ssize_t n = PyTuple_Size(args);
    PyObject *place = PyDict_GetItemWithError(rows_by_op, op);
    if (!place && PyErr_Occurred())
        return NULL;
    int row = place ? (int)PyLong_AsLong(place) : -1, has_node = 0, is_plain = 1;
    int fits = place && !kwargs && n && (ROWS[row].arity < 0 || ROWS[row].arity == n);
    for (Py_ssize_t i = 0; fits && i < n; i++) {
        PyObject *arg = PyTuple_GetItem(args, i);
        has_node |= is_node(arg);
        is_plain &= is_node(arg) || PyFloat_CheckExact(arg);
        fits = is_node(arg) || PyFloat_CheckExact(arg) || PyLong_CheckExact(arg);
    }
    if (!fits || !has_node) {
        PyObject *whole = PyTuple_New(n + 1);
        if (!whole)
            return NULL;
        PyTuple_SetItem(whole, 0, Py_NewRef(op));
        for (Py_ssize_t i = 0; i < n; i++)
            PyTuple_SetItem(whole, i + 1, Py_NewRef(PyTuple_GetItem(args, i)));
        PyObject *result = PyObject_Call(python_call, whole, kwargs);
        Py_DECREF(whole);
        return result;
    }
    PyObject *numbers = is_plain ? Py_NewRef(args) : PyTuple_New(n), *node = NULL;
    if (!numbers)
        return NULL;
    for (Py_ssize_t i = 0; !is_plain && i < n; i++) {
        PyObject *arg = number(PyTuple_GetItem(args, i));
        if (!arg) {
            Py_DECREF(numbers);
            return PyErr_Occurred() ? NULL : by_record(row, Py_NewRef(args));
        }
        PyTuple_SetItem(numbers, i, arg);
    }
    if (ROWS[row].arity < 0)
        node = recorded_wide(row, numbers);
    else {
        PyObject *few[3] = {NULL, NULL, NULL};
        for (Py_ssize_t i = 0; i < n; i++)
            few[i] = PyTuple_GetItem(numbers, i);
        node = recorded(row, (int)n, few);
    }
    Py_DECREF(numbers);
    return node;
}

/* The order of a backward pass, as `autograd.schedule` has it */

typedef struct {
    Node **items;
    size_t used, size;
} Stack;

static int push(Stack *stack, Node *node)
{
    if (stack->used == stack->size) {
        size_t size = stack->size ? 2 * stack->size : 256;
        Node **items = PyMem_Realloc(stack->items, size * sizeof(Node *));
        if (!items) {
            PyErr_NoMemory();
            return -1;
        }
        stack->items = items;
        stack->size = size;
    }
    stack->items[stack->used++] = node;
    return 0;
}

static int visit(PyObject *arg, Stack *stack, PyObject *leaves, PyObject *root)
{
    if (!arg || PyFloat_CheckExact(arg))
        return 0;
    if (!is_node(arg)) {
        PyErr_Format(PyExc_AttributeError, "an argument of a node is no Value: %R", arg);
        return -1;
    }
    Node *node = (Node *)arg;
    if (mark_of(node) == DONE)
        return 0;
    if (!form_of(node)) {
        set_mark(node, DONE);
        return PyList_Append(leaves, arg);
    }
    if (mark_of(node) == OPEN) {
        PyObject *order = PyObject_CallFunctionObjArgs(topological_order, root, NULL);
        Py_XDECREF(order); /* there is none: it raises the CycleError */
        return order ? 0 : -1;
    }
    return push(stack, node);
}

static int visit_arguments(Node *node, Stack *stack, PyObject *leaves, PyObject *root)
{
    if (!node->a || !PyTuple_CheckExact(node->a))
        return visit(node->b, stack, leaves, root) || visit(node->a, stack, leaves, root) ? -1 : 0;
    for (Py_ssize_t i = PyTuple_Size(node->a); i-- > 0;)
        if (visit(PyTuple_GetItem(node->a, i), stack, leaves, root))
            return -1;
    return 0;
}

static int walk(Stack *stack, PyObject *order, PyObject *leaves, PyObject *root)
{
    while (stack->used) {
        Node *node = stack->items[--stack->used];
        if (mark_of(node) == OPEN) {
            set_mark(node, DONE);
            if (PyList_Append(order, (PyObject *)node))
                return -1;
        } else if (mark_of(node) != DONE) {
            set_mark(node, OPEN);
            set_grad(node, 0.0);
            stack->used++; /* it stays */
            if (visit_arguments(node, stack, leaves, root))
                return -1;
        }
    }
    return 0;
}

static void all_passed(PyObject *nodes)
{
    for (Py_ssize_t i = PyList_Size(nodes); i-- > 0;)
        set_mark((Node *)PyList_GetItem(nodes, i), PASSED);
}

static PyObject *backward_order(PyObject *module, PyObject *root)
{
    if (!is_node(root))
        return PyErr_Format(PyExc_TypeError, "the order of a Value, not of %R", root);
    if (!form_of((Node *)root))
        return Py_BuildValue("[][O]", root);
    PyObject *order = PyList_New(0), *leaves = PyList_New(0), *both = NULL;
    Stack stack = {NULL, 0, 0};
    if (order && leaves && !push(&stack, (Node *)root)) {
        int failed = walk(&stack, order, leaves, root);
        all_passed(order);
        all_passed(leaves);
        while (stack.used)
            set_mark(stack.items[--stack.used], PASSED);
        both = failed ? NULL : PyTuple_Pack(2, order, leaves);
    }
    PyMem_Free(stack.items);
    Py_XDECREF(order);
    Py_XDECREF(leaves);
    return both;
}

/* The backward pass */

static PyObject *argument(const Node *node, Py_ssize_t n, Py_ssize_t i)
{
    return n > 2 ? PyTuple_GetItem(node->a, i) : i ? node->b : node->a;
}

/* Reads the number of an argument; returns whether it is a float, or a node of two floats. */
static int read_number(PyObject *arg, double *x)
{
    if (!arg)
        return 0;
    if (PyFloat_CheckExact(arg)) {
        *x = PyFloat_AsDouble(arg);
        return 1;
    }
    if (!is_node(arg) || !has_plain_data((Node *)arg) || !has_plain_grad((Node *)arg))
        return 0;
    *x = ((Node *)arg)->data;
    return 1;
}

/* These return whether they have passed on what a node has got; else Python must. */

static int pulled_few(Node *node, int row, unsigned pattern, int n)
{
    double x[3], passed[3];
    PyObject *args[3];
    for (int i = 0; i < n; i++) {
        args[i] = argument(node, n, i);
        if (!read_number(args[i], &x[i]) || is_node(args[i]) != (int)(pattern >> i & 1))
            return 0;
    }
    Pull pull = ROWS[row].pulls[pattern];
    if (!pull || pull(node->grad, node->data, x, passed))
        return 0;
    for (int i = 0; i < n; i++)
        if (pattern >> i & 1)
            ((Node *)args[i])->grad += passed[i];
    return 1;
}

static int pulled_wide(Node *node, int row, Py_ssize_t n)
{
    Py_ssize_t weights = ROWS[row].arity == WEIGHTED ? n / 2 : 0;
    double g = node->grad, factor;
    for (Py_ssize_t i = 0; i < n; i++)
        if (!read_number(argument(node, n, i), &factor))
            return 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *arg = argument(node, n, i);
        if (!is_node(arg))
            continue;
        if (i < 2 * weights)
            read_number(argument(node, n, i < weights ? i + weights : i - weights), &factor);
        ((Node *)arg)->grad += i < 2 * weights ? g * factor : g;
    }
    return 1;
}

static int pulled(Node *node)
{
    Kernel *kernel = form_of(node);
    if (!kernel || !kernel->row || !has_plain_grad(node) || !has_plain_data(node) || !node->a)
        return 0;
    Py_ssize_t n = kernel->arity;
    if (n > 2 && !(PyTuple_CheckExact(node->a) && PyTuple_Size(node->a) == n))
        return 0;
    int row = kernel->row - 1;
    return ROWS[row].arity < 0 ? pulled_wide(node, row, n)
                               : pulled_few(node, row, kernel->pattern, (int)n);
}

/* Returns whether it has failed. */
static int pulled_by_python(Node *node)
{
    PyObject *form = get_form((PyObject *)node, NULL), *grad = get_grad((PyObject *)node, NULL);
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
        Py_INCREF(node);
        int failed = !pulled((Node *)node) && pulled_by_python((Node *)node);
        Py_DECREF(node);
        if (failed)
            return NULL;
    }
    Py_RETURN_NONE;
}

/* Numbers of many nodes at once, for compiled code */

static PyObject *read_into(PyObject *module, PyObject *args)
{
    PyObject *nodes;
    unsigned long long address;
    if (!PyArg_ParseTuple(args, "O!K", &PyTuple_Type, &nodes, &address))
        return NULL;
    double *numbers = (double *)(uintptr_t)address;
    for (Py_ssize_t i = 0; i < PyTuple_Size(nodes); i++) {
        Node *node = (Node *)PyTuple_GetItem(nodes, i);
        if (!is_node((PyObject *)node))
            return PyErr_Format(PyExc_TypeError, "numbers are read of Values");
        numbers[i] = has_plain_data(node) ? node->data : PyFloat_AsDouble(node->rare->data);
        if (numbers[i] == -1.0 && PyErr_Occurred())
            return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *add_from(PyObject *module, PyObject *args)
{
    PyObject *nodes;
    unsigned long long address;
    Py_ssize_t n;
    if (!PyArg_ParseTuple(args, "O!Kn", &PyTuple_Type, &nodes, &address, &n))
        return NULL;
    const double *numbers = (const double *)(uintptr_t)address;
    if (n > PyTuple_Size(nodes))
        return PyErr_Format(PyExc_ValueError, "%zd numbers for fewer nodes", n);
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *node = PyTuple_GetItem(nodes, i);
        if (!is_node(node) || !has_plain_grad((Node *)node))
            Py_RETURN_FALSE;
    }
    for (Py_ssize_t i = 0; i < n; i++)
        ((Node *)PyTuple_GetItem(nodes, i))->grad += numbers[i];
    Py_RETURN_TRUE;
}

/* The module */

static PyMethodDef call_method = {
    "__call__", (PyCFunction)(void (*)(void))call, METH_VARARGS | METH_KEYWORDS,
    "Apply the op: floats give a float, operands give an operand.",
};

static PyObject *connect(PyObject *module, PyObject *given)
{
    PyObject *op_type, *table;
    if (record)
        return PyErr_Format(PyExc_RuntimeError, "the accelerator is connected already");
    if (!PyArg_ParseTuple(given, "O!O!OOOOOO", &PyType_Type, &op_type,
                          &PyDict_Type, &table, &record, &operate, &form_function, &mode_variable,
                          &ages, &topological_order))
        return NULL;
    rows_by_op = PyDict_New();
    python_call = PyObject_GetAttrString(op_type, "__call__");
    if (!rows_by_op || !python_call)
        return NULL;
    for (int i = 0; i < ROW_COUNT; i++) {
        rows[i] = PyDict_GetItemString(table, ROWS[i].name);
        PyObject *place = PyLong_FromLong(i);
        if (!rows[i] || !place || !(wide_forms[i] = PyDict_New()))
            return PyErr_Format(PyExc_ImportError, "the table has no row %s", ROWS[i].name);
        Py_INCREF(rows[i]);
        int failed = PyDict_SetItem(rows_by_op, rows[i], place);
        Py_DECREF(place);
        if (failed)
            return NULL;
    }
    PyObject *kept[] = {record, operate, form_function, mode_variable, ages, topological_order};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        Py_INCREF(kept[i]);
    PyObject *descriptor = PyDescr_NewMethod((PyTypeObject *)op_type, &call_method);
    if (!descriptor)
        return NULL;
    int failed = PyObject_SetAttrString(op_type, "__call__", descriptor);
    Py_DECREF(descriptor);
    if (failed)
        return NULL;
    Py_RETURN_NONE;
}

/* Makes the type of nodes, as a kind of operand. */
static PyObject *value_of(PyObject *module, PyObject *operand)
{
    if (value_type)
        return PyErr_Format(PyExc_RuntimeError, "there is a type of nodes already");
    PyObject *made_type = PyType_FromSpecWithBases(&node_spec, operand);
    PyObject *hand_built = made_type ? PyType_FromSpecWithBases(&hand_built_spec, made_type) : NULL;
    if (!hand_built)
        return NULL;
    hand_built_type = (PyTypeObject *)hand_built;
    value_type = (PyTypeObject *)made_type;
    return Py_NewRef(made_type);
}

static PyMethodDef functions[] = {
    {"value_of", value_of, METH_O, NULL},
    {"connect", connect, METH_VARARGS, NULL},
    {"backward_order", backward_order, METH_O, NULL},
    {"pull_back", pull_back, METH_O, NULL},
    {"read_into", read_into, METH_VARARGS, NULL},
    {"add_from", add_from, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static int execute(PyObject *module)
{
    static int is_taken;
    if (is_taken) { /* what is static here serves one interpreter */
        PyErr_SetString(PyExc_ImportError, "the accelerator serves one interpreter of a process");
        return -1;
    }
    is_taken = 1;
    kernel_type = (PyTypeObject *)PyType_FromSpec(&kernel_spec);
    if (!kernel_type)
        return -1;
    if (PyModule_AddStringConstant(module, "made_from", MADE_FROM))
        return -1;
    return PyModule_AddObjectRef(module, "FormBase", (PyObject *)kernel_type);
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
