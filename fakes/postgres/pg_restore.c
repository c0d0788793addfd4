/* pg_restore: of archives in the custom format, which here is pg_dump's text, compressed, behind
 * the format's magic. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "fakes/postgres/catalog.h"
#include "fakes/postgres/dump.h"
#include "fakes/postgres/pg_options.h"

enum { MAGIC = 11, ARCHIVE_MAX = 256 << 20 };

/* One entry of the archive: "-- Name: t; Type: TABLE; Schema: public; Owner: o" and the text that
 * follows it. */
struct entry {
    const char *name, *type, *schema, *owner;
    struct str text;
    int id;
};

struct restore {
    struct call *call;
    struct pg_session *session;
    struct pg_target target;
    struct entry *entries;
    int n_entries;
    struct str head; /* settings before the first entry */
    const char *table, *file;
    bool clean, if_exists, create, data_only, schema_only, exit_on_error, single, no_owner, verbose,
        list;
    bool damaged; /* the archive ends too early */
    int n_errors;
    bool said_processing;
};

static bool inflate_archive(struct buf *out, struct str packed)
{
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)packed.at,
                  .avail_in = (unsigned)packed.len};
    unsigned char block[32768];
    if (inflateInit2(&z, 15 + 16) != Z_OK)
        return false;
    int code = Z_OK;
    do {
        z.next_out = block;
        z.avail_out = sizeof block;
        code = inflate(&z, Z_NO_FLUSH);
        buf_add(out, block, sizeof block - z.avail_out);
    } while (code == Z_OK && z.avail_out == 0);
    if (code == Z_OK) /* what is left of the input gives no more */
        code = inflate(&z, Z_FINISH);
    inflateEnd(&z);
    return code == Z_STREAM_END;
}

static const char *field(struct arena *arena, struct str line, const char *key)
{
    ptrdiff_t at = str_find(line, str_of(key));
    if (at < 0)
        return "";
    struct str rest = {line.at + at + strlen(key), line.len - (size_t)at - strlen(key)};
    return arena_str(arena, str_trim(str_cut(&rest, ';')));
}

static void read_entries(struct restore *r, struct str text)
{
    struct arena *arena = r->call->arena;
    int cap = 1;
    for (size_t i = 0; i + 6 < text.len; i++)
        cap += memcmp(text.at + i, "\n-- Na", 6) == 0 || memcmp(text.at + i, "\n-- Da", 6) == 0;
    r->entries = ARENA_ARRAY(arena, struct entry, cap);
    struct entry *open = NULL;
    const char *start = text.at;
    struct str rest = text;
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');
        bool heading = (str_starts(line, "-- Name: ") || str_starts(line, "-- Data for Name: ")) &&
                       str_find(line, STR("; Type: ")) > 0;
        bool end = str_starts(line, "-- PostgreSQL database dump complete");
        if (!heading && !end)
            continue;
        const char *stop = line.at - strlen("--\n");
        if (open)
            open->text = str_trim((struct str){open->text.at, (size_t)(stop - open->text.at)});
        else
            r->head = (struct str){start, (size_t)(stop - start)};
        open = NULL;
        if (!heading || r->n_entries >= cap)
            continue;
        open = &r->entries[r->n_entries];
        *open = (struct entry){field(arena, line, "Name: "),
                               field(arena, line, "Type: "),
                               field(arena, line, "Schema: "),
                               field(arena, line, "Owner: "),
                               {rest.at, 0},
                               200 + r->n_entries};
        r->n_entries++;
        struct str skip = rest;
        str_cut(&skip, '\n'); /* the "--" under it */
        open->text.at = skip.at;
    }
    if (open)
        open->text =
            str_trim((struct str){open->text.at, (size_t)(text.at + text.len - open->text.at)});
}

/* ---- running ---- */

static void complain(struct restore *r, const struct entry *e, const char *command,
                     const char *prefix)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    pg_error_text(&text, &r->session->error, command, 'd');
    const char *said = arena_str(r->call->arena, buf_text(&text));
    buf_release(&text);
    if (!r->said_processing)
        call_err(r->call, "pg_restore: while PROCESSING TOC:\n");
    r->said_processing = true;
    r->n_errors++;
    call_err(r->call, "pg_restore: from TOC entry %d; 1259 %d %s %s %s\n", e->id, 16384 + e->id,
             e->type, e->name, e->owner);
    call_err(r->call, "pg_restore: error: %s%s", prefix, said);
    if (command)
        call_err(r->call, "Command was: %s\n\n\n", command);
}

static bool copy_rows(struct restore *r, const struct entry *e, struct str data,
                      const struct pg_copy *copy)
{
    int64_t n = 0, rows = 0;
    bool ok = true;
    pg_copy_begin(r->session, copy);
    while (data.len && ok) {
        struct str line = str_cut(&data, '\n');
        if (str_is(line, "\\."))
            break;
        ok = pg_copy_line(r->session, copy, line, ++n);
        rows += str_starts(line, "\\identities ") ? 500 : 1;
    }
    pg_copy_end(r->session, ok, n, copy->table);
    call_sleep(r->call, rows * 7 * MICROSECOND);
    if (!ok)
        complain(r, e, NULL,
                 arena_printf(r->call->arena, "COPY failed for table \"%s\": ", e->name));
    return ok;
}

static bool run_sql(struct restore *r, const struct entry *e, struct str sql)
{
    const char *text = arena_str(r->call->arena, str_trim(sql));
    if (!*text)
        return true;
    if (!pg_query(r->session, text)) {
        complain(r, e, text, "could not execute query: ");
        return false;
    }
    for (const struct pg_message *m = r->session->messages; m; m = m->next) {
        if (m->result)
            call_sleep(r->call, m->result->took_ns);
    }
    return true;
}

static bool run_entry(struct restore *r, const struct entry *e)
{
    if (r->verbose)
        call_err(r->call, "pg_restore: %s %s \"%s.%s\"\n",
                 strcmp(e->type, "TABLE DATA") == 0 ? "processing data for" : "creating", e->type,
                 e->schema, e->name);
    if (strcmp(e->type, "TABLE DATA") == 0) {
        struct str data = e->text, first = str_cut(&data, '\n');
        if (!pg_query(r->session, arena_str(r->call->arena, first))) {
            complain(r, e, NULL, arena_printf(r->call->arena, "could not execute query: "));
            return false;
        }
        const struct pg_message *m = r->session->messages;
        return m && m->result && m->result->copy && copy_rows(r, e, data, m->result->copy);
    }
    /* A table and its owner are two commands; the others are one. */
    struct str rest = e->text;
    ptrdiff_t owner = str_find(rest, STR("\n\nALTER "));
    bool has_owner = owner > 0 && str_find(rest, STR(" OWNER TO ")) > owner;
    struct str first = has_owner ? (struct str){rest.at, (size_t)owner} : rest;
    bool ok = run_sql(r, e, first);
    if (has_owner && !r->no_owner)
        ok = run_sql(r, e, (struct str){rest.at + owner, rest.len - (size_t)owner}) && ok;
    return ok;
}

static const char *drop_command(struct restore *r, const struct entry *e)
{
    const char *maybe = r->if_exists ? "IF EXISTS " : "";
    struct arena *arena = r->call->arena;
    struct str name = str_of(e->name), table = str_cut(&name, ' ');
    if (strstr(e->type, "CONSTRAINT"))
        return arena_printf(arena, "ALTER TABLE %sONLY %s.%.*s DROP CONSTRAINT %s%.*s;", maybe,
                            e->schema, STR_ARG(table), maybe, STR_ARG(name));
    if (strcmp(e->type, "TRIGGER") == 0)
        return arena_printf(arena, "DROP TRIGGER %s%.*s ON %s.%.*s;", maybe, STR_ARG(name),
                            e->schema, STR_ARG(table));
    if (strcmp(e->type, "TABLE") == 0 || strcmp(e->type, "VIEW") == 0 ||
        strcmp(e->type, "SEQUENCE") == 0 || strcmp(e->type, "INDEX") == 0 ||
        strcmp(e->type, "FUNCTION") == 0)
        return arena_printf(arena, "DROP %s %s%s.%s;", e->type, maybe, e->schema, e->name);
    return NULL;
}

static bool wanted(const struct restore *r, const struct entry *e)
{
    bool data = strcmp(e->type, "TABLE DATA") == 0 || strcmp(e->type, "SEQUENCE SET") == 0;
    if (r->table && (strcmp(e->name, r->table) != 0 || (strcmp(e->type, "TABLE") != 0 && !data)))
        return false;
    return data ? !r->schema_only : !r->data_only;
}

static int restore(struct restore *r)
{
    static const struct entry none = {.name = "", .type = "", .schema = "", .owner = ""};
    if (r->single)
        run_sql(r, &none, STR("BEGIN"));
    struct str head = r->head;
    while (head.len) { /* one setting a line */
        struct str line = str_cut(&head, '\n');
        if (str_starts(line, "SET ") || str_starts(line, "SELECT "))
            run_sql(r, &none, line);
    }
    bool stop = false;
    for (int i = r->n_entries - 1; i >= 0 && r->clean && !stop; i--) {
        const char *drop = wanted(r, &r->entries[i]) ? drop_command(r, &r->entries[i]) : NULL;
        stop = drop && !run_sql(r, &r->entries[i], str_of(drop)) && (r->exit_on_error || r->single);
    }
    for (int i = 0; i < r->n_entries && !stop; i++)
        stop = wanted(r, &r->entries[i]) && !run_entry(r, &r->entries[i]) &&
               (r->exit_on_error || r->single);
    if (r->single)
        run_sql(r, &none, r->n_errors ? STR("ROLLBACK") : STR("COMMIT"));
    if (r->damaged) {
        call_err(r->call, "pg_restore: error: could not read from input file: end of file\n");
        return 1;
    }
    if (r->n_errors && !stop)
        call_err(r->call, "pg_restore: warning: errors ignored on restore: %d\n", r->n_errors);
    return r->n_errors ? 1 : 0;
}

static void list_entries(struct restore *r)
{
    call_out(r->call,
             ";\n; Archive created at 2025-01-01 00:00:00 UTC\n;     dbname: %s\n;     TOC "
             "Entries: %d\n;     Compression: -1\n"
             ";     Dump Version: 1.14-0\n;     Format: CUSTOM\n;\n;\n; Selected TOC Entries:\n;\n",
             "postgres", r->n_entries);
    for (int i = 0; i < r->n_entries; i++)
        call_out(r->call, "%d; 1259 %d %s %s %s %s\n", r->entries[i].id, 16384 + r->entries[i].id,
                 r->entries[i].type, r->entries[i].schema, r->entries[i].name, r->entries[i].owner);
}

static int open_archive(struct restore *r, const char *path, struct buf *text)
{
    struct buf *raw = ARENA_NEW(r->call->arena, struct buf);
    buf_init(raw, ARCHIVE_MAX);
    call_defer(r->call, (void (*)(void *))buf_release, raw);
    int code = path ? call_load(r->call, path, raw) : call_read_all(r->call, 0, raw);
    if (code < 0) {
        call_err(r->call, "pg_restore: error: could not open input file \"%s\": %s\n",
                 path ? path : "", strerror(-code));
        return 1;
    }
    struct str content = buf_text(raw);
    if (str_starts(content, "--\n-- PostgreSQL database dump")) {
        call_err(
            r->call,
            "pg_restore: error: input file appears to be a text format dump. Please use psql.\n");
        return 1;
    }
    if (content.len < MAGIC || !str_starts(content, "PGDMP")) {
        call_err(r->call,
                 content.len < 5
                     ? "pg_restore: error: input file is too short (read %zu, expected 5)\n"
                     : "pg_restore: error: input file does not appear to be a valid archive%.0zu\n",
                 content.len);
        return 1;
    }
    r->damaged = !inflate_archive(text, (struct str){content.at + MAGIC, content.len - MAGIC});
    return 0;
}

int run_pg_restore(struct call *call)
{
    static const struct pg_option list[] = {{'h', "host", true},
                                            {'p', "port", true},
                                            {'U', "username", true},
                                            {'w', "no-password", false},
                                            {'W', "password", false},
                                            {'d', "dbname", true},
                                            {'f', "file", true},
                                            {'F', "format", true},
                                            {'c', "clean", false},
                                            {0, "if-exists", false},
                                            {'C', "create", false},
                                            {'a', "data-only", false},
                                            {'s', "schema-only", false},
                                            {'e', "exit-on-error", false},
                                            {'1', "single-transaction", false},
                                            {'O', "no-owner", false},
                                            {'x', "no-privileges", false},
                                            {0, "no-acl", false},
                                            {'t', "table", true},
                                            {'n', "schema", true},
                                            {'j', "jobs", true},
                                            {'v', "verbose", false},
                                            {'l', "list", false},
                                            {0, "disable-triggers", false},
                                            {0, "no-comments", false},
                                            {0, "role", true},
                                            {0}};
    struct restore *r = ARENA_NEW(call->arena, struct restore);
    struct pg_options o = {.call = call, .program = "pg_restore", .list = list, .at = 1};
    *r = (struct restore){.call = call};
    for (int i; (i = pg_next_option(&o)) != -1;) {
        if (i == -2)
            return 1;
        const struct pg_option *x = &list[i];
        if (pg_target_option(&r->target, x, o.value))
            continue;
        r->target.database = x->letter == 'd' ? o.value : r->target.database;
        r->file = x->letter == 'f' ? o.value : r->file;
        r->table = x->letter == 't' ? o.value : r->table;
        r->clean |= x->letter == 'c';
        r->create |= x->letter == 'C';
        r->data_only |= x->letter == 'a';
        r->schema_only |= x->letter == 's';
        r->exit_on_error |= x->letter == 'e';
        r->single |= x->letter == '1';
        r->no_owner |= x->letter == 'O';
        r->verbose |= x->letter == 'v';
        r->list |= x->letter == 'l';
        r->if_exists |= x->name && strcmp(x->name, "if-exists") == 0;
    }
    if (!r->target.database && !r->file && !r->list) {
        call_err(call, "pg_restore: error: one of -d/--dbname and -f/--file must be specified\n");
        return 1;
    }
    if (r->if_exists && !r->clean) {
        call_err(call, "pg_restore: error: option --if-exists requires option -c/--clean\n");
        return 1;
    }
    struct buf *text = ARENA_NEW(call->arena, struct buf);
    buf_init(text, ARCHIVE_MAX);
    call_defer(call, (void (*)(void *))buf_release, text);
    if (open_archive(r, o.n_plain ? o.plain[0] : NULL, text))
        return 1;
    if (r->file && !r->list) {
        if (strcmp(r->file, "-") == 0)
            call_write(call, 1, text->at, text->len);
        else
            call_save(call, r->file, text->at, text->len, 0644);
        return 0;
    }
    read_entries(r, buf_text(text));
    if (r->list) {
        list_entries(r);
        return 0;
    }
    if (r->create) {
        record_observe(call->env->record, "not_simulated", "pg_restore --create",
                       "the simulated pg_restore cannot create the database");
        call_err(call, "pg_restore: error: not simulated: -C/--create\n");
        return 1;
    }
    pg_target_defaults(call, &r->target);
    r->session = pg_target_connect(call, &r->target, "pg_restore");
    return r->session ? restore(r) : 1;
}
