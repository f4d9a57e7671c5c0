/* expr/node.h - the tree of a condition, private to src/expr. */
#ifndef EXPR_NODE_H
#define EXPR_NODE_H
#include "expr/expr.h"

enum node_kind {
    NODE_CONST = 1,
    NODE_VAR,
    NODE_HAS,
    NODE_NOT, /* kids[0] */
    NODE_AND, /* n kids: a chain is one node, so that its length costs no depth */
    NODE_OR,
    NODE_CMP, /* kids[0] op kids[1], of one type */
    NODE_IN,  /* kids[0] in items */
    NODE_IF   /* kids[0] ? kids[1] : kids[2] */
};
enum cmp_op { CMP_EQ, CMP_NE, CMP_LT, CMP_LE, CMP_GT, CMP_GE };

struct expr {
    enum node_kind kind;
    enum expr_type type;
    int depth; /* 1 for a leaf, at most EXPR_MAX_DEPTH */
    enum cmp_op op;
    struct expr_value value;
    const struct expr_var *var;
    const struct expr **kids;
    size_t n_kids;
    const struct expr_value *items;
    size_t n_items;
};
#endif
