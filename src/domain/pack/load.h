/* domain/pack/load.h - the state of one load, private to src/domain/pack and its tests.
 * A problem of the files is written down and reading goes on, so that one run shows them all; only
 * lack of memory or an unreadable folder ends it at once. Readers give a usable default for what is
 * wrong, never NULL text. */
#ifndef DOMAIN_PACK_LOAD_H
#define DOMAIN_PACK_LOAD_H
#include "base/buf.h"
#include "domain/pack/pack.h"

enum {
    LOAD_MAX_PACKS = 64,
    LOAD_MAX_TYPES = 64,
    LOAD_MAX_LISTS = 64,
    LOAD_MAX_PROCESSES = 32,
    LOAD_MAX_ROLES = 64,
    LOAD_MAX_CALENDARS = 16,
    LOAD_MAX_INDICATORS = 1024,
    LOAD_MAX_DOCUMENTS = 128,
    LOAD_MAX_STATES = 64,
    LOAD_MAX_MOVES = 128
};

struct load {
    struct arena *a;
    struct buf *report; /* may be NULL */
    struct err *err;    /* the first problem */
    enum err_code code; /* of the first problem, ERR_OK while there is none */
    size_t n_problems;
    bool nomem;        /* sticky: some reader had no memory and gave a default */
    uint64_t said[64]; /* hashes of the last problems, so that none is said twice */
    const char *pack;  /* name of the pack whose files are being read */
    struct pack_set set;
    struct pack_info *packs;
    struct type_def *types;
    struct code_list *lists;
    struct case_class *classes;
    struct process_def *processes;
    struct role_def *roles;
    struct calendar_def *calendars;
    struct indicator_def *indicators;
    struct pack_document *documents;
    unsigned char hash[32]; /* over the files read so far */
};

enum err_code load_init(struct load *l, struct arena *a, struct buf *report,
                        struct err *err) NODISCARD;
/* Write down a problem as "file:line: text" (line 0: "file: text"). */
void load_problem(struct load *l, enum err_code code, const char *file, int line, const char *fmt,
                  ...) PRINTF_LIKE(5, 6);
/* The same with a did-you-mean from the NULL-terminated candidates: `what "word" is not known; did
 * you mean "x"?` */
void load_unknown(struct load *l, const char *file, int line, const char *what, const char *word,
                  const char *const *candidates);
/* Out of memory; returns the code. */
enum err_code load_nomem(struct load *l);
/* ERR_REFUSED as a problem when the name or one of the titles stands for what Gezhi does not hold;
 * false then. */
bool load_not_refused(struct load *l, const char *file, int line, const char *what,
                      const char *name, const struct text *title);

/* ---- readers of a map's members; file stands in problems */
const char *rd_text(struct load *l, const char *file, const struct val *map, const char *key,
                    bool required, size_t max);
/* [a-z][a-z0-9_]{0,39}; "" with a problem otherwise. */
const char *rd_name(struct load *l, const char *file, const struct val *map, const char *key,
                    bool required);
/* The name of a pack, which is a folder: - is taken, too. */
const char *rd_pack_name(struct load *l, const char *file, const struct val *map, const char *key);
bool rd_bool(struct load *l, const char *file, const struct val *map, const char *key, bool def);
int64_t rd_int(struct load *l, const char *file, const struct val *map, const char *key,
               int64_t min, int64_t max, int64_t def);
/* {en: .., zh: ..}, both not empty; {"", ""} when absent and not required. */
struct text rd_title(struct load *l, const char *file, const struct val *map, const char *key,
                     bool required);
/* A list, or NULL (with a problem when required and absent, or something else). */
const struct val *rd_list(struct load *l, const char *file, const struct val *map, const char *key,
                          bool required);
/* Index of the text in names (NULL-terminated), or -1 with a problem; def when absent and not
 * required. */
int rd_enum(struct load *l, const char *file, const struct val *map, const char *key,
            const char *const *names, bool required, int def);
/* A list of texts; one text is a list of one. */
size_t rd_texts(struct load *l, const char *file, const struct val *map, const char *key,
                bool required, const char *const **out);
/* Every key must be in the NULL-terminated list. False when it is no map. */
bool rd_known(struct load *l, const char *file, const struct val *map, const char *what,
              const char *const *known);
/* "4 work_hour", "1.5 work_day", "2 工作时" into thousandths and a unit; false with a problem. */
bool rd_limit(struct load *l, const char *file, int line, const char *text, struct time_limit *out);

/* ---- one file of each kind, already parsed; each appends to the load */
enum err_code load_pack_file(struct load *l, const char *file, const char *dir, const char *folder,
                             const struct val *v) NODISCARD;
enum err_code load_type_file(struct load *l, const char *file, const struct val *v) NODISCARD;
enum err_code load_process_file(struct load *l, const char *file, const struct val *v) NODISCARD;
enum err_code load_roles_file(struct load *l, const char *file, const struct val *v) NODISCARD;
enum err_code load_lists_file(struct load *l, const char *file, const struct val *v) NODISCARD;
/* Rows of a code list from the bytes of its CSV. */
enum err_code load_codes_csv(struct load *l, const char *file, const char *p, size_t n,
                             struct code_list *list) NODISCARD;
enum err_code load_classes_file(struct load *l, const char *file, const struct val *v) NODISCARD;
enum err_code load_calendar_file(struct load *l, const char *file, const struct val *v) NODISCARD;
enum err_code load_indicators_file(struct load *l, const char *file, const struct val *v) NODISCARD;
/* A file of the folder "indices" or "warnings", kept as it stands. */
enum err_code load_document(struct load *l, const char *file, const struct val *v,
                            const char *folder) NODISCARD;
/* What only the whole shows: references between files. */
enum err_code load_check_types(struct load *l) NODISCARD;
enum err_code load_check_classes(struct load *l) NODISCARD; /* sorts them, too */
enum err_code load_check_processes(struct load *l) NODISCARD;
enum err_code load_check_indicators(struct load *l) NODISCARD; /* sorts them, too */
/* Read a file and add it to the hash. */
enum err_code load_read(struct load *l, const char *path, const char **p, size_t *n) NODISCARD;
/* Variables of a type's conditions: its fields, and for a move also actor.*, now and its inputs. */
enum err_code load_env(struct load *l, const struct type_def *t, const struct input_def *inputs,
                       size_t n_inputs, bool move, struct expr_env *out) NODISCARD;
/* Parse a condition; what is wrong becomes a problem and *out stays as it was. env must be
 * arena-owned. */
enum err_code load_condition(struct load *l, const char *file, int line, const char *text,
                             const struct expr_env *env, const struct expr **out) NODISCARD;
#endif
