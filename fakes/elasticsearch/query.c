/* The Query DSL, clause by clause on one document. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fakes/elasticsearch/node.h"

static const char *text_of(struct es_exchange *x, const cJSON *value)
{
    if (cJSON_IsString(value))
        return value->valuestring;
    if (cJSON_IsBool(value))
        return cJSON_IsTrue(value) ? "true" : "false";
    return cJSON_IsNumber(value) ? arena_printf(x->arena, "%.15g", value->valuedouble) : "";
}

static bool is_analyzed(const struct es_index *index, const char *field)
{
    const char *type = es_type_of(index, field);
    return type && (strcmp(type, "text") == 0 || strcmp(type, "match_only_text") == 0);
}

/* The standard analyzer, for plain text: words of letters and digits, in small letters. The next
 * one. */
static struct str next_word(struct str *rest)
{
    size_t i = 0, n = 0;
    while (i < rest->len && !isalnum((unsigned char)rest->at[i]) &&
           (unsigned char)rest->at[i] < 0x80)
        i++;
    while (i + n < rest->len && (isalnum((unsigned char)rest->at[i + n]) ||
                                 (unsigned char)rest->at[i + n] >= 0x80 || rest->at[i + n] == '_' ||
                                 (rest->at[i + n] == '.' && i + n + 1 < rest->len &&
                                  isalnum((unsigned char)rest->at[i + n + 1]))))
        n++;
    struct str word = {rest->at + i, n};
    *rest = (struct str){rest->at + i + n, rest->len - i - n};
    return word;
}

static bool same_word(struct str a, struct str b)
{
    return a.len == b.len && strncasecmp(a.at, b.at, a.len) == 0;
}

static bool has_word(const char *text, struct str wanted)
{
    struct str rest = str_of(text);
    while (rest.len) {
        struct str word = next_word(&rest);
        if (word.len && same_word(word, wanted))
            return true;
    }
    return false;
}

/* A value of a field against one term. */
typedef bool test(struct es_exchange *, const struct es_hit *, const char *field,
                  const cJSON *value, const char *wanted);

/* Any value of the field (an array has several) that passes. */
static bool any_value(struct es_exchange *x, const struct es_hit *hit, const char *field,
                      const char *wanted, test *passes)
{
    cJSON *value = es_field_of(x, hit, field);
    bool found = false;
    if (cJSON_IsArray(value)) {
        for (const cJSON *item = value->child; item && !found; item = item->next)
            found = passes(x, hit, field, item, wanted);
    } else if (value && !cJSON_IsNull(value)) {
        found = passes(x, hit, field, value, wanted);
    }
    cJSON_Delete(value);
    return found;
}

static bool is_term(struct es_exchange *x, const struct es_hit *hit, const char *field,
                    const cJSON *value, const char *wanted)
{
    const char *text = text_of(x, value), *type = es_type_of(hit->index, field);
    int64_t a, b;
    if (is_analyzed(hit->index,
                    field)) { /* the term itself is not analyzed: capitals never match */
        for (const char *p = wanted; *p; p++) {
            if (isupper((unsigned char)*p))
                return false;
        }
        return has_word(text, str_of(wanted));
    }
    if (type && strcmp(type, "date") == 0)
        return es_date(x, text, false, &a) && es_date(x, wanted, false, &b) && a == b;
    if (cJSON_IsNumber(value)) {
        char *end;
        double number = strtod(wanted, &end);
        return end != wanted && !*end && !(number < value->valuedouble) &&
               !(number > value->valuedouble);
    }
    return strcmp(text, wanted) == 0;
}

static bool is_prefix(struct es_exchange *x, const struct es_hit *hit, const char *field,
                      const cJSON *value, const char *wanted)
{
    struct str rest = str_of(text_of(x, value));
    if (!is_analyzed(hit->index, field))
        return str_starts(rest, wanted);
    while (rest.len) {
        struct str word = next_word(&rest);
        if (word.len >= strlen(wanted) && strncasecmp(word.at, wanted, strlen(wanted)) == 0)
            return true;
    }
    return false;
}

static bool is_wildcard(struct es_exchange *x, const struct es_hit *hit, const char *field,
                        const cJSON *value, const char *wanted)
{
    struct str rest = str_of(text_of(x, value));
    if (!is_analyzed(hit->index, field))
        return es_matches(wanted, rest);
    while (rest.len) {
        struct str word = next_word(&rest);
        if (word.len && es_matches(wanted, word))
            return true;
    }
    return false;
}

static bool is_any(struct es_exchange *x, const struct es_hit *hit, const char *field,
                   const cJSON *value, const char *wanted)
{
    (void)x;
    (void)hit;
    (void)field;
    (void)value;
    (void)wanted;
    return true;
}

static bool has_phrase(struct es_exchange *x, const struct es_hit *hit, const char *field,
                       const cJSON *value, const char *wanted)
{
    struct str rest = str_of(text_of(x, value));
    if (!is_analyzed(hit->index, field))
        return is_term(x, hit, field, value, wanted);
    while (rest.len) {
        struct str there = rest, need = str_of(wanted), first = next_word(&need),
                   word = next_word(&there);
        rest = there;
        while (first.len && same_word(word, first)) {
            first = next_word(&need);
            word = next_word(&there);
        }
        if (!first.len)
            return true;
    }
    return false;
}

/* ---- clauses ---- */

/* {"field": value} or {"field": {"key": value}}: the only field of a clause; NULL: the answer is
 * given. */
static const cJSON *only_field(struct es_exchange *x, const char *kind, const cJSON *clause)
{
    if (!cJSON_IsObject(clause) || !clause->child) {
        es_error(x, 400, "parsing_exception",
                 "[%s] query malformed, no start_object after query name", kind);
        return NULL;
    }
    if (clause->child->next && clause->child->next->string[0] != '_' &&
        strcmp(clause->child->next->string, "boost") != 0) {
        es_error(x, 400, "parsing_exception",
                 "[%s] query doesn't support multiple fields, found [%s] and [%s]", kind,
                 clause->child->string, clause->child->next->string);
        return NULL;
    }
    return clause->child;
}

static const cJSON *value_in(const cJSON *field, const char *key)
{
    return cJSON_IsObject(field) ? cJSON_GetObjectItemCaseSensitive(field, key) : field;
}

static bool match_clause(struct es_exchange *x, const cJSON *field, const struct es_hit *hit)
{
    const cJSON *query = value_in(field, "query"),
                *how = cJSON_IsObject(field) ? cJSON_GetObjectItemCaseSensitive(field, "operator")
                                             : NULL;
    if (!query) {
        es_error(x, 400, "parsing_exception", "No text specified for text query");
        return false;
    }
    if (!hit)
        return false;
    if (!is_analyzed(hit->index, field->string))
        return any_value(x, hit, field->string, text_of(x, query), is_term);
    bool all = cJSON_IsString(how) && strcasecmp(how->valuestring, "and") == 0, found = all;
    struct str rest = str_of(text_of(x, query));
    while (rest.len) {
        struct str word = next_word(&rest);
        if (!word.len)
            continue;
        char *small = arena_str(x->arena, word);
        for (char *p = small; *p; p++)
            *p = (char)tolower((unsigned char)*p);
        bool here = any_value(x, hit, field->string, small, is_term);
        found = all ? found && here : found || here;
    }
    return found;
}

/* What a bound of a range says about the value: below 0, 0 or above 0. False: they cannot be
 * compared. */
static bool compare(struct es_exchange *x, const struct es_hit *hit, const char *field,
                    const cJSON *bound, bool up, int *ret)
{
    const char *type = es_type_of(hit->index, field);
    bool date = type && strcmp(type, "date") == 0;
    if (date) {
        int64_t at_ns = NEVER, bound_ns;
        if (!es_date(x, text_of(x, bound), up, &bound_ns)) {
            es_error(x, 400, "parse_exception",
                     "failed to parse date field [%s] with format "
                     "[strict_date_optional_time||epoch_millis]",
                     text_of(x, bound));
            return false;
        }
        if (!hit->document && !hit->index->n_copied &&
            strcmp(field, "@timestamp") == 0) { /* a record of traffic: no JSON is made */
            at_ns = store_row_time(x->node->store, hit->index->name, hit->identity) / MILLISECOND *
                    MILLISECOND;
        } else {
            cJSON *value = es_field_of(x, hit, field);
            bool there = value && es_date(x, text_of(x, value), false, &at_ns);
            cJSON_Delete(value);
            if (!there)
                return false;
        }
        *ret = (at_ns > bound_ns) - (at_ns < bound_ns);
        return true;
    }
    cJSON *value = es_field_of(x, hit, field);
    bool there = value && !cJSON_IsNull(value);
    char *end = NULL;
    const char *text = text_of(x, bound);
    double number = strtod(text, &end);
    if (there && cJSON_IsNumber(value) && end != text && !*end)
        *ret = (value->valuedouble > number) - (value->valuedouble < number);
    else if (there)
        *ret = strcmp(text_of(x, value), text);
    cJSON_Delete(value);
    return there;
}

static bool range_clause(struct es_exchange *x, const cJSON *field, const struct es_hit *hit)
{
    static const char *const other[] = {"format", "time_zone", "boost", "relation", "_name", NULL};
    if (!cJSON_IsObject(field)) {
        es_error(x, 400, "parsing_exception",
                 "[range] query malformed, no start_object after query name");
        return false;
    }
    bool inside = true;
    for (const cJSON *bound = field->child; bound && !x->answered; bound = bound->next) {
        bool gt = strcmp(bound->string, "gt") == 0,
             gte = strcmp(bound->string, "gte") == 0 || strcmp(bound->string, "from") == 0;
        bool lt = strcmp(bound->string, "lt") == 0,
             lte = strcmp(bound->string, "lte") == 0 || strcmp(bound->string, "to") == 0;
        int order = 0, i = 0;
        while (other[i] && strcmp(other[i], bound->string) != 0)
            i++;
        if (!gt && !gte && !lt && !lte && !other[i])
            es_error(x, 400, "parsing_exception", "[range] query does not support [%s]",
                     bound->string);
        if (!hit || !inside || !(gt || gte || lt || lte))
            continue;
        inside = compare(x, hit, field->string, bound, gt || lte, &order) && (gt    ? order > 0
                                                                              : gte ? order >= 0
                                                                              : lt  ? order < 0
                                                                                    : order <= 0);
    }
    return inside && hit;
}

/* must, filter, should, must_not: how many of the list's clauses hold; *ret_n how many there are.
 */
static int count_true(struct es_exchange *x, const cJSON *list, const struct es_hit *hit,
                      int *ret_n)
{
    int n = 0;
    *ret_n = 0;
    for (const cJSON *item = cJSON_IsArray(list) ? list->child : list; item;
         item = cJSON_IsArray(list) ? item->next : NULL) {
        n += es_query(x, item, hit);
        ++*ret_n;
    }
    return n;
}

static bool bool_clause(struct es_exchange *x, const cJSON *clause, const struct es_hit *hit)
{
    bool good = true, required = false;
    int should = 0, n_should = 0, n = 0;
    int64_t least = -1;
    for (const cJSON *part = clause->child; part && !x->answered; part = part->next) {
        if (strcmp(part->string, "must") == 0 || strcmp(part->string, "filter") == 0) {
            int hits = count_true(x, part, hit, &n);
            good = good && hits == n;
            required = true;
        } else if (strcmp(part->string, "must_not") == 0) {
            good = count_true(x, part, hit, &n) == 0 && good;
        } else if (strcmp(part->string, "should") == 0) {
            should = count_true(x, part, hit, &n_should);
        } else if (strcmp(part->string, "minimum_should_match") == 0) {
            if (!str_int64(str_of(text_of(x, part)), &least))
                es_not_simulated(x, "a minimum_should_match that is no plain number");
        } else if (strcmp(part->string, "boost") != 0 && strcmp(part->string, "_name") != 0) {
            es_error(x, 400, "parsing_exception", "[bool] query does not support [%s]",
                     part->string);
        }
    }
    if (least < 0)
        least = n_should && !required ? 1 : 0;
    return good && should >= least && hit;
}

/* "field:value", "*", joined by AND: what health checks write. */
static bool query_string(struct es_exchange *x, const char *text, const struct es_hit *hit)
{
    struct str rest = str_of(text);
    bool good = true;
    while (rest.len && !x->answered) {
        ptrdiff_t and = str_find(rest, STR(" AND "));
        struct str one = str_trim(and < 0 ? rest : (struct str){rest.at, (size_t) and });
        rest =
            and < 0 ? (struct str){0} : (struct str){rest.at + and+5, rest.len - (size_t) and -5};
        if (str_is(one, "*") || str_is(one, "*:*"))
            continue;
        struct str value = one, field = str_cut(&value, ':');
        if (!value.len || memchr(one.at, ' ', one.len) ||
            strpbrk(arena_str(x->arena, one), "()[]{}~^\\/")) {
            if (!(value.len > 2 && value.at[0] == '"')) {
                es_not_simulated(x, "this query string");
                return false;
            }
        }
        bool quoted = value.len > 1 && value.at[0] == '"' && value.at[value.len - 1] == '"';
        const char *name = arena_str(x->arena, field);
        const char *wanted =
            arena_str(x->arena, quoted ? (struct str){value.at + 1, value.len - 2} : value);
        cJSON field_json = {.type = cJSON_String,
                            .valuestring = (char *)(uintptr_t)wanted,
                            .string = (char *)(uintptr_t)name};
        good = good && hit &&
               (strchr(wanted, '*') ? any_value(x, hit, name, wanted, is_wildcard)
                : quoted            ? any_value(x, hit, name, wanted, has_phrase)
                                    : match_clause(x, &field_json, hit));
    }
    return good && hit;
}

static bool ids_clause(struct es_exchange *x, const cJSON *clause, const struct es_hit *hit)
{
    const cJSON *values = cJSON_GetObjectItemCaseSensitive(clause, "values");
    for (const cJSON *item = values ? values->child : NULL; item && hit; item = item->next) {
        if (strcmp(text_of(x, item), es_id_of(x, hit)) == 0)
            return true;
    }
    return false;
}

static bool terms_clause(struct es_exchange *x, const cJSON *field, const struct es_hit *hit)
{
    if (!cJSON_IsArray(field)) {
        es_error(x, 400, "parsing_exception", "[terms] query does not support [%s]", field->string);
        return false;
    }
    for (const cJSON *item = field->child; item && hit; item = item->next) {
        if (any_value(x, hit, field->string, text_of(x, item), is_term))
            return true;
    }
    return false;
}

static bool term_like(struct es_exchange *x, const char *kind, const cJSON *clause,
                      const struct es_hit *hit, const char *key, test *passes)
{
    const cJSON *field = only_field(x, kind, clause), *value = field ? value_in(field, key) : NULL;
    if (field && (!value || cJSON_IsNull(value)))
        es_error(x, 400, "illegal_argument_exception", "value cannot be null");
    if (field && cJSON_IsArray(value))
        es_error(x, 400, "parsing_exception", "[%s] query does not support array of values", kind);
    if (!value || !hit || x->answered)
        return false;
    if (strcmp(field->string, "_id") == 0)
        return strcmp(es_id_of(x, hit), text_of(x, value)) == 0;
    return any_value(x, hit, field->string, text_of(x, value), passes);
}

static bool known_elsewhere(const char *kind)
{
    static const char *const kinds[] = {"multi_match",
                                        "simple_query_string",
                                        "nested",
                                        "has_child",
                                        "has_parent",
                                        "function_score",
                                        "script",
                                        "script_score",
                                        "fuzzy",
                                        "regexp",
                                        "geo_distance",
                                        "geo_bounding_box",
                                        "more_like_this",
                                        "match_phrase_prefix",
                                        "match_bool_prefix",
                                        "dis_max",
                                        "boosting",
                                        "combined_fields",
                                        "knn",
                                        "percolate",
                                        "span_term",
                                        "intervals",
                                        "terms_set",
                                        "rank_feature",
                                        "wrapper",
                                        "pinned",
                                        NULL};
    int i = 0;
    while (kinds[i] && strcmp(kinds[i], kind) != 0)
        i++;
    return kinds[i] != NULL;
}

bool es_query(struct es_exchange *x, const cJSON *query, const struct es_hit *hit)
{
    const cJSON *clause = query ? query->child : NULL;
    if (!query || x->answered)
        return !x->answered && hit;
    if (!cJSON_IsObject(query) || !clause) {
        es_error(x, 400, "illegal_argument_exception", "query malformed, empty clause found");
        return false;
    }
    if (clause->next) {
        es_error(x, 400, "parsing_exception",
                 "[%s] malformed query, expected [END_OBJECT] but found [FIELD_NAME]",
                 clause->string);
        return false;
    }
    const char *kind = clause->string;
    if (strcmp(kind, "match_all") == 0)
        return hit;
    if (strcmp(kind, "match_none") == 0)
        return false;
    if (strcmp(kind, "bool") == 0)
        return bool_clause(x, clause, hit);
    if (strcmp(kind, "constant_score") == 0)
        return es_query(x, cJSON_GetObjectItemCaseSensitive(clause, "filter"), hit);
    if (strcmp(kind, "ids") == 0)
        return ids_clause(x, clause, hit);
    if (strcmp(kind, "query_string") == 0) {
        const cJSON *text = cJSON_GetObjectItemCaseSensitive(clause, "query");
        return query_string(x, cJSON_IsString(text) ? text->valuestring : "", hit);
    }
    if (strcmp(kind, "exists") == 0) {
        const cJSON *field = cJSON_GetObjectItemCaseSensitive(clause, "field");
        return hit && cJSON_IsString(field) && any_value(x, hit, field->valuestring, "", is_any);
    }
    if (strcmp(kind, "term") == 0)
        return term_like(x, kind, clause, hit, "value", is_term);
    if (strcmp(kind, "prefix") == 0)
        return term_like(x, kind, clause, hit, "value", is_prefix);
    if (strcmp(kind, "wildcard") == 0)
        return term_like(x, kind, clause, hit,
                         cJSON_IsObject(clause->child) &&
                                 cJSON_GetObjectItem(clause->child, "wildcard")
                             ? "wildcard"
                             : "value",
                         is_wildcard);
    if (strcmp(kind, "match_phrase") == 0)
        return term_like(x, kind, clause, hit, "query", has_phrase);
    const cJSON *field = NULL;
    if (strcmp(kind, "match") == 0 || strcmp(kind, "range") == 0 || strcmp(kind, "terms") == 0) {
        field = only_field(x, kind, clause);
        return field && (kind[0] == 'm'   ? match_clause(x, field, hit)
                         : kind[0] == 'r' ? range_clause(x, field, hit)
                                          : terms_clause(x, field, hit));
    }
    if (known_elsewhere(kind))
        es_not_simulated(x, arena_printf(x->arena, "the query [%s]", kind));
    else
        es_error(x, 400, "parsing_exception", "unknown query [%s]", kind);
    return false;
}

bool es_check_query(struct es_exchange *x, const cJSON *query)
{
    const char *text = es_parameter(x, "q", NULL);
    if (query)
        es_query(x, query, NULL);
    if (text)
        query_string(x, text, NULL);
    return !x->answered;
}

/* ---- over all documents ---- */

static bool wanted(struct es_exchange *x, const cJSON *query, const struct es_hit *hit)
{
    const char *text = es_parameter(x, "q", NULL);
    return (!query || es_query(x, query, hit)) && (!text || query_string(x, text, hit));
}

void es_each(struct es_exchange *x, const struct es_indices *all, const cJSON *query,
             es_visit *visit, void *ctx)
{
    for (int i = 0; i < all->n; i++) {
        struct es_index *index = all->at[i];
        const struct idset *rows = dataset_rows(store_serving(x->node->store), index->name);
        struct idset now = {0}; /* visitors may change what is there */
        if (rows)
            idset_copy(&now, rows);
        for (int k = 0; k < now.n; k++) {
            for (int64_t id = now.at[k].lo; id < now.at[k].hi; id++) {
                struct es_hit hit = {index, id,
                                     index->n_documents ? es_find_document(index, id) : NULL};
                bool found = wanted(x, query, &hit);
                if (x->answered || (found && !visit(x, &hit, ctx))) {
                    idset_release(&now);
                    return;
                }
            }
        }
        idset_release(&now);
    }
}

static bool count_one(struct es_exchange *x, const struct es_hit *hit, void *ctx)
{
    (void)x;
    (void)hit;
    ++*(int64_t *)ctx;
    return true;
}

int64_t es_count_query(struct es_exchange *x, const struct es_indices *all, const cJSON *query)
{
    int64_t n = 0;
    bool everything = !query || (query->child && strcmp(query->child->string, "match_all") == 0);
    if (everything && !es_has(x, "q")) {
        for (int i = 0; i < all->n; i++)
            n += es_count(x->node, all->at[i]);
        return n;
    }
    es_each(x, all, query, count_one, &n);
    return n;
}
