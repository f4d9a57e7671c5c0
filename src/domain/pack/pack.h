/* domain/pack/pack.h - business as data: what a folder of packs means, loaded and checked once,
 * then immutable and shared by all threads. Everything is owned by the arena given to pack_load.
 * Every error names file, line and field: `packs/cases/types/case.yaml:14: field "sevrity" is not
 * known; did you mean "severity"?` */
#ifndef DOMAIN_PACK_PACK_H
#define DOMAIN_PACK_PACK_H
#include <stdint.h>

#include "base/arena.h"
#include "base/val.h"
#include "base/workcal.h"
#include "expr/expr.h"
#include "store/table.h"

struct text {
    const char *en, *zh; /* both always set */
};

/* ---- types: become typed tables
 * -------------------------------------------------------------------------------- */
enum field_kind {
    FIELD_TEXT = 1,
    FIELD_INT,
    FIELD_NUMBER,
    FIELD_BOOL,
    FIELD_TIME,
    FIELD_DATE,
    FIELD_CODE,   /* a code of a code list: `codes` */
    FIELD_CLASS,  /* a case class id */
    FIELD_REF,    /* the id of a row of type `ref` */
    FIELD_PHOTOS, /* list of blob hashes, COL_JSON */
    FIELD_JSON,   /* structured, engine-owned (lists), COL_JSON */
    FIELD_SHAPE /* polygon as WKB in WGS-84, engine-owned, COL_BLOB (areas, cells: field "shape") */
};
enum sensitivity { SENS_PUBLIC = 1, SENS_INTERNAL = 2, SENS_PERSONAL = 3, SENS_SENSITIVE = 4 };

struct field_def {
    const char *name;
    struct text title, hint; /* hint "" when absent */
    enum field_kind kind;
    const char *codes; /* FIELD_CODE: list id */
    const char *ref;   /* FIELD_REF: type name */
    bool required;
    int64_t min, max;             /* FIELD_INT range; FIELD_TEXT: max = bytes */
    enum sensitivity sensitivity; /* personal and sensitive ones are stored as commitments */
    const char *basis; /* legal basis or purpose; required for personal and sensitive fields */
    bool engine;       /* set by the engine only, never taken from a form */
    bool form;         /* shown in the report form */
    const struct expr *show_if; /* or NULL: condition over this type's fields */
    const char *file;
    int line;
};
struct type_def {
    const char *name; /* "case" */
    struct text title;
    const char *pack;
    const char *purpose; /* why this is held: each type has one */
    const char *purpose_zh;
    const char *file;
    int line;
    const struct field_def *fields;
    size_t n_fields;
    struct table table; /* column i is field i; personal columns from sensitivity */
};
/* Slots of variables in conditions: a field's own index, or one of these; input i of a move has
 * PACK_SLOT_INPUT - i. Fields are named `state` and `case.state` (the type's name), which share a
 * slot. Personal and sensitive fields cannot be asked about. */
enum {
    PACK_SLOT_NOW = -1,
    PACK_SLOT_ACTOR_NAME = -2,
    PACK_SLOT_ACTOR_ROLE = -3,
    PACK_SLOT_ACTOR_UNIT = -4,
    PACK_SLOT_ACTOR_AREA = -5,
    PACK_SLOT_INPUT = -100
};
/* Index of a field, or -1. */
int type_field(const struct type_def *t, const char *name);

/* ---- code lists and case classes
 * -------------------------------------------------------------------------------- */
struct code_row {
    const char *code;
    struct text title;
    const char *note;
    const char *major_code; /* "" when the list has no major classes */
    struct text major;
    const char *trust; /* of this row, "" = as the list */
    int line;
};
struct code_list {
    struct text title;
    const char *pack, *file;
    const char *id, *version, *valid_from, *valid_to, *source, *trust;
    bool local;
    const struct code_row *rows;
    size_t n_rows;
    size_t n_not_loaded; /* rows without a code: listed by `gezhi pack show`, not loaded */
    const struct code_row *not_loaded;
};
/* Whether a class id is of the kind "task": work that the program opens itself (warnings,
 * supervision). Tasks are private and closed to the report form (checked at load), seen by whoever
 * may read warnings, and counted by no indicator that does not name them. */
#define PACK_TASKS "task-"
bool class_is_task(const char *class_id);

struct time_limit {
    const char *state; /* process state the limit holds for */
    int64_t n_milli;   /* thousandths of the unit */
    enum work_unit unit;
    const char *source; /* whose rule it is; "" for a default of ours */
    bool example;       /* one city's figure, shipped as an example: the city sets its own */
};
struct case_class {
    const char *id; /* "event-0102": kind-code */
    const char *kind, *code;
    struct text title;
    struct text major; /* major class */
    const char *major_code;
    const struct code_list *list;
    const char *trust;
    const char *process; /* process name: "street", "dispute" */
    bool is_private;     /* on no map, in no public answer */
    bool public_asset;   /* place is shown exactly; else rounded to 50 m */
    bool needs_place;    /* a report must have lon and lat */
    bool is_open;        /* offered in the report form (a closed code stays for old rows) */
    bool urgent;         /* danger to life first */
    const char *duty;    /* duty code matched with posts and units */
    const struct time_limit *limits;
    size_t n_limits;
};

/* ---- processes: state charts
 * ------------------------------------------------------------------------------------ */
struct state_def {
    const char *name;
    struct text title;        /* for staff */
    struct text public_title; /* for the reporter and the public */
    const char *stage; /* one of collect file confirm dispatch handle feedback verify close rate
                          (收集 立案 核实 派遣 处置 反馈 核查 结案 评价) */
    bool initial, final;
    bool clock; /* its limit runs here (a state that waits for a staff member must have a limit) */
    struct time_limit limit;  /* default when the class has none; unit 0 = none */
    const char *holder;       /* who must act: "desk", "unit", "worker", "verifier", "mediator",
                                 "reporter", "analyst", "supervisor", "none" */
    const char *overdue_move; /* escalation: move made by the system when overdue, or NULL (then
                                 only flagged) */
    int line;
};
struct input_def {
    const char
        *name; /* "note", "reason", "unit", "photos", "score", "goto", or a field of the type */
    bool required;
    const char *kind; /* "text" | "unit" | "post" | "class" | "photos" | "score" | "bool" | "code" |
                         "field" | "worker" | "date" (max: days from today) | "number" */
    int64_t min, max;
    struct text title; /* label in the form */
};
struct set_def { /* effect on a field of the case */
    const char *field;
    const char *from; /* "actor" | "input:<name>" | "now" | "null" | "const:<text>" | "parent_desk"
                         | "cell_post" */
};
/* What a move does to the clock (domain/process/clock.h). An ask waits for an answer: pause, extend
 * or refuse. */
enum clock_act {
    CLOCK_NONE = 0,
    CLOCK_ASK_PAUSE,  /* needs the input "until", of kind date */
    CLOCK_PAUSE,      /* as it was asked */
    CLOCK_RESUME,     /* before the date */
    CLOCK_ASK_EXTEND, /* needs the input "days", of kind number */
    CLOCK_EXTEND,     /* as it was asked */
    CLOCK_REFUSE      /* either */
};
enum { CLOCK_MAX_DAYS = 366 };
struct move_def {
    const char *name;  /* "dispatch" */
    struct text title; /* on the button */
    struct text done;  /* in the route: "Dispatched to a unit" */
    const char *const *from;
    size_t n_from; /* states; "*" means every not-final state; none: the move that opens the case */
    const char *to; /* state, or NULL: stays */
    const char *const *roles;
    size_t n_roles;           /* may include "reporter", "party" (code + word) and "system" */
    const struct expr *guard; /* over case fields, actor.*, input.*; NULL = always */
    const char *guard_text;   /* its source, for `pack show` */
    struct text guard_why;    /* told when the guard refuses */
    const struct input_def *inputs;
    size_t n_inputs;
    const struct set_def *sets;
    size_t n_sets;
    bool is_public;        /* shown in the public route */
    const char *counts_as; /* "settled_in_cell", "rework", "return", "escalate", "suspend", "extend"
                              or NULL: a mark on the step for statistics */
    int max_times;         /* bounce limit: beyond it the move is gone, 0 = none */
    enum clock_act clock;
    const char *basis;
    int line;
};
/* How urgent a matter is that this many different people reported. */
struct urgency_level {
    int64_t reporters; /* at least so many */
    struct text title;
};
struct process_def {
    const char *pack, *file;
    int line;
    const char *name;
    struct text title;
    const char *type; /* the type it moves: "case" */
    const struct state_def *states;
    size_t n_states;
    const struct move_def *moves;
    size_t n_moves;
    const struct urgency_level *urgency; /* from the lowest number up */
    size_t n_urgency;
};
const struct state_def *process_state(const struct process_def *p, const char *name);
const struct move_def *process_move(const struct process_def *p, const char *name);

/* ---- roles
 * ------------------------------------------------------------------------------------------------------
 */
enum role_scope {
    SCOPE_NONE = 0,
    SCOPE_OWN_CELLS = 1,
    SCOPE_UNIT = 2,
    SCOPE_AREA = 3,
    SCOPE_ALL = 4
};
struct role_def {
    const char *name; /* "worker", "operator", "department", "verifier"?, "supervisor", "mediator",
                         "system_admin", "security_admin", "audit_admin" */
    struct text title;
    enum role_scope cases;    /* which cases it sees and may act on */
    bool private_cases;       /* also private classes within its scope */
    bool personal, sensitive; /* may open such fields, with a stated purpose, journalled */
    const char *const *grants;
    size_t n_grants; /* permission names of decl/permissions.def, e.g. "case.read", "case.report",
                        "account.manage", "audit.read" */
};

/* ---- indicators: what is counted or averaged, from which rows, by which time and place
 * ---------------------------------------------------------------------- */
enum indicator_measure {
    MEASURE_COUNT = 1, /* rows */
    MEASURE_SUM,       /* of a number */
    MEASURE_MEAN,      /* of a number */
    MEASURE_MEDIAN,    /* of a number, from the rows themselves */
    MEASURE_SHARE,     /* of the rows that pass `filter`, those that pass `part` too */
    MEASURE_BETWEEN,   /* mean hours from one time to another */
    MEASURE_DISTINCT,  /* different values, from the rows themselves */
    MEASURE_FIGURE,    /* outside data, by file */
    MEASURE_RATIO,     /* one indicator over another, times `per` */
    MEASURE_TOTAL,     /* constant + weighted sum of indicators */
    MEASURE_AGAINST    /* an indicator over its own past, times `per` */
};
enum indicator_basis { /* what belongs to a period; told beside every figure */
                       BASIS_REPORTED = 1,
                       BASIS_FILED,
                       BASIS_DUE,
                       BASIS_HANDLED,
                       BASIS_CLOSED,
                       BASIS_EVENT,
                       BASIS_STATED /* as the source of the data says */
};
/* The past that an indicator is held against. */
enum indicator_against {
    AGAINST_LAST_PERIOD = 1,
    AGAINST_LAST_YEAR,  /* the same period a year earlier */
    AGAINST_THREE_YEARS /* mean of the same period in the three years before */
};
struct indicator_term {
    const char *indicator;
    double weight;
};
struct indicator_past { /* an earlier form of the formula, for the record */
    int64_t version;
    const char *from, *note;
};
struct indicator_def {
    const char *name;
    struct text title, explain, unit;
    const char *pack, *file;
    int line;
    enum indicator_measure measure;
    enum indicator_basis basis;
    const struct type_def *type;      /* of the rows; NULL for figure, ratio and total */
    const struct expr *filter, *part; /* NULL: every row */
    const char *filter_text, *part_text;
    int time_col, value_col, from_col, to_col; /* columns of the type, or -1 */
    const char *of, *to;                       /* ratio; against: of */
    enum indicator_against against;
    double per;                         /* 1, 100, 10000 */
    const struct indicator_term *terms; /* total */
    size_t n_terms;
    double constant;
    int direction;   /* +1 more is better, -1 more is worse, 0 neither */
    bool effort;     /* it moves with how much people report: never a term of a shipped index */
    bool tasks;      /* counts tasks (class_is_task) and nothing else; without it never a task */
    bool guarded;    /* touches personal or private matters: the figure floor applies */
    int64_t enough;  /* smallest denominator (or count) that says anything; 0: any */
    double min, max; /* range of imported figures; NaN: none */
    bool stock;  /* a figure holds until the next one (residents), else it is of its period only */
    bool sum_up; /* figures of a parent are the sum of its children's */
    const char *owner; /* who answers for it */
    int64_t lag_days;  /* when a period's figure is complete */
    int64_t version;
    const char *valid_from; /* "2026-01-01" */
    const struct indicator_past *past;
    size_t n_past;
};

/* A document that a higher floor reads: files of "indices", "warnings", "surveys", "briefings". */
struct pack_document {
    const char *pack, *folder, *file;
    const struct val *v;
};

struct calendar_def {
    const char *name, *source;
    unsigned weekday_mask;
    const struct work_span *spans;
    size_t n_spans;
    const struct work_exception *exceptions;
    size_t n_exceptions;
    int first_year, last_year; /* confirmed */
};

struct pack_info {
    const char *name, *version, *dir;
    struct text title;
    const char *purpose, *purpose_zh;
    const char *const *needs;
    size_t n_needs; /* packs it rests on */
};

struct pack_set {
    const struct pack_info *packs;
    size_t n_packs;
    const struct type_def *types;
    size_t n_types;
    const struct code_list *lists;
    size_t n_lists;
    const struct case_class *classes;
    size_t n_classes; /* sorted by id */
    const struct process_def *processes;
    size_t n_processes;
    const struct role_def *roles;
    size_t n_roles;
    const struct calendar_def *calendars;
    size_t n_calendars;
    const struct indicator_def *indicators;
    size_t n_indicators; /* sorted by name */
    const struct pack_document *documents;
    size_t n_documents;
    const struct table *const *tables;
    size_t n_tables;        /* of the types, for ledger_options */
    unsigned char hash[32]; /* SHA-256 over all files read: a restart notices a change */
};

enum { INDICATOR_MAX_DEPTH = 16 }; /* formulas that stand on formulas */
enum { PACK_MAX_CLASSES = 8192, PACK_MAX_FIELDS = 96, PACK_MAX_PROBLEMS = 1000 };

/* Load and check every pack folder under dir ("packs"). `codes` is "gb" or "free": which
 * division-code rule areas follow. On a fault *err holds the first problem; all problems go to
 * `report` (may be NULL) one a line. Errors: ERR_INVALID, ERR_REFUSED (a refusal of scope.md, the
 * table is named), ERR_SYNTAX, ERR_NOT_FOUND, ERR_IO. */
enum err_code pack_load(struct arena *a, const char *dir, struct buf *report,
                        const struct pack_set **out, struct err *err) NODISCARD;

const struct type_def *pack_type(const struct pack_set *p, const char *name);
const struct case_class *pack_class(const struct pack_set *p, const char *id);
const struct process_def *pack_process(const struct pack_set *p, const char *name);
const struct role_def *pack_role(const struct pack_set *p, const char *name);
const struct code_list *pack_list(const struct pack_set *p, const char *id);
const struct indicator_def *pack_indicator(const struct pack_set *p, const char *name);
/* The words that stand for these in the files of a pack. */
const char *field_kind_name(enum field_kind k);
const char *sensitivity_name(enum sensitivity s);
const char *work_unit_name(enum work_unit u);
const char *role_scope_name(enum role_scope s);
const char *indicator_measure_name(enum indicator_measure m);
const char *indicator_basis_name(enum indicator_basis b);
/* Work calendar for a zone. */
enum err_code pack_calendar(struct arena *a, const struct pack_set *p, const char *name,
                            const struct tz *tz, const struct work_calendar **out,
                            struct err *err) NODISCARD;

/* domain/pack/refuse.c: does a name (field, type, event kind, import column; either language) stand
 * for something that Gezhi refuses to hold? Returns the row of scope.md's table ("重点人员 /
 * persons of concern") or NULL. Used at load and at import. */
const char *refuse_name(const char *name_or_title);
#endif
