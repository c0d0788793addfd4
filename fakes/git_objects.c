#include "fakes/git_objects.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "sim/base/xalloc.h"

/* ---- SHA-1 (FIPS 180-4): names of objects, not a protection ---- */

static uint32_t rotate(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

static void sha1_block(uint32_t h[5], const unsigned char *at)
{
    uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)at[4 * i] << 24 | (uint32_t)at[4 * i + 1] << 16 |
               (uint32_t)at[4 * i + 2] << 8 | at[4 * i + 3];
    for (int i = 16; i < 80; i++)
        w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (int i = 0; i < 80; i++) {
        uint32_t f = i < 20   ? ((b & c) | (~b & d))
                     : i < 40 ? (b ^ c ^ d)
                     : i < 60 ? ((b & c) | (b & d) | (c & d))
                              : (b ^ c ^ d);
        uint32_t k = i < 20   ? 0x5a827999u
                     : i < 40 ? 0x6ed9eba1u
                     : i < 60 ? 0x8f1bbcdcu
                              : 0xca62c1d6u;
        uint32_t next = rotate(a, 5) + f + e + k + w[i];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = next;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
}

static struct git_id sha1(struct str text)
{
    uint32_t h[5] = {0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u, 0xc3d2e1f0u};
    unsigned char last[128] = {0};
    size_t whole = text.len / 64 * 64, rest = text.len - whole;
    for (size_t i = 0; i < whole; i += 64)
        sha1_block(h, (const unsigned char *)text.at + i);
    if (rest)
        memcpy(last, text.at + whole, rest);
    last[rest] = 0x80;
    size_t len = rest < 56 ? 64 : 128;
    for (int i = 0; i < 8; i++)
        last[len - 1 - (size_t)i] = (unsigned char)((uint64_t)text.len * 8 >> (8 * i));
    for (size_t i = 0; i < len; i += 64)
        sha1_block(h, last + i);
    struct git_id id;
    for (int i = 0; i < 20; i++)
        id.byte[i] = (unsigned char)(h[i / 4] >> (24 - 8 * (i % 4)));
    return id;
}

/* ---- objects ---- */

struct object {
    enum git_kind kind;
    struct git_id id;
    struct str content;   /* owned */
    uint32_t offset, crc; /* in the pack */
};

struct git_objects {
    struct object *at;
    int n, cap;
};

enum { PACK_MAX = 64 << 20 };

struct git_objects *git_objects_new(void)
{
    return xcalloc(1, sizeof(struct git_objects));
}

void git_objects_free(struct git_objects *objects)
{
    for (int i = 0; objects && i < objects->n; i++)
        free((char *)(uintptr_t)objects->at[i].content.at);
    if (objects)
        free(objects->at);
    free(objects);
}

struct git_id git_objects_add(struct git_objects *objects, enum git_kind kind, struct str content)
{
    static const char *const names[] = {"", "commit", "tree", "blob"};
    struct buf text;
    buf_init(&text, PACK_MAX);
    buf_printf(&text, "%s %zu", names[kind], content.len);
    buf_putc(&text, '\0');
    buf_str(&text, content);
    struct git_id id = sha1(buf_text(&text));
    buf_release(&text);
    for (int i = 0; i < objects->n; i++) {
        if (memcmp(objects->at[i].id.byte, id.byte, 20) == 0)
            return id;
    }
    char *copy = xmalloc(content.len + 1);
    if (content.len)
        memcpy(copy, content.at, content.len);
    XGROW(objects->at, objects->n, objects->cap);
    objects->at[objects->n++] =
        (struct object){.kind = kind, .id = id, .content = {copy, content.len}};
    return id;
}

void git_hex(struct git_id id, char ret[41])
{
    for (int i = 0; i < 20; i++) {
        ret[2 * i] = "0123456789abcdef"[id.byte[i] >> 4];
        ret[2 * i + 1] = "0123456789abcdef"[id.byte[i] & 15];
    }
    ret[40] = '\0';
}

/* One entry of a tree. Folders sort as if their names ended in a slash. */
struct entry {
    struct str name;
    int mode;
    struct git_id id;
};

static int by_name(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    size_t len = x->name.len < y->name.len ? x->name.len : y->name.len;
    int order = memcmp(x->name.at, y->name.at, len);
    if (order)
        return order;
    int c = x->name.len > len ? (unsigned char)x->name.at[len] : x->mode == 040000 ? '/' : 0;
    int d = y->name.len > len ? (unsigned char)y->name.at[len] : y->mode == 040000 ? '/' : 0;
    return c - d;
}

/* The tree of files[0..n), whose paths all begin with the same `skip` bytes. */
static struct git_id add_tree(struct git_objects *objects, struct git_file *files, int n,
                              size_t skip)
{
    struct entry *entries = xcalloc((size_t)n + 1, sizeof *entries);
    int k = 0;
    for (int i = 0; i < n;) {
        const char *name = files[i].path + skip, *slash = strchr(name, '/');
        struct entry *entry = &entries[k++];
        if (!slash) {
            files[i].id = git_objects_add(objects, GIT_BLOB, files[i].content);
            *entry = (struct entry){str_of(name), files[i].mode, files[i].id};
            i++;
            continue;
        }
        size_t len = (size_t)(slash - name);
        int end = i;
        while (end < n && strncmp(files[end].path + skip, name, len + 1) == 0)
            end++;
        *entry = (struct entry){
            {name, len}, 040000, add_tree(objects, files + i, end - i, skip + len + 1)};
        i = end;
    }
    qsort(entries, (size_t)k, sizeof *entries, by_name);
    struct buf text;
    buf_init(&text, PACK_MAX);
    for (int i = 0; i < k; i++) {
        buf_printf(&text, "%o %.*s", (unsigned)entries[i].mode, STR_ARG(entries[i].name));
        buf_putc(&text, '\0');
        buf_add(&text, entries[i].id.byte, 20);
    }
    struct git_id id = git_objects_add(objects, GIT_TREE, buf_text(&text));
    buf_release(&text);
    free(entries);
    return id;
}

struct git_id git_objects_tree(struct git_objects *objects, struct git_file *files, int n)
{
    return add_tree(objects, files, n, 0);
}

/* ---- files ---- */

static void add_u32(struct buf *out, uint32_t value)
{
    const unsigned char bytes[] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
                                   (unsigned char)(value >> 8), (unsigned char)value};
    buf_add(out, bytes, 4);
}

static void add_trailer(struct buf *out)
{
    struct git_id id = sha1(buf_text(out));
    buf_add(out, id.byte, 20);
}

static int by_id(const void *a, const void *b)
{
    return memcmp(((const struct object *)a)->id.byte, ((const struct object *)b)->id.byte, 20);
}

/* Stored without compression worth the name: level 0 gives the same bytes with every version of
 * zlib. */
static void add_object(struct buf *pack, struct object *object)
{
    size_t size = object->content.len, start = pack->len;
    unsigned char c = (unsigned char)((unsigned)object->kind << 4 | (size & 15));
    for (size >>= 4; size; size >>= 7) {
        buf_putc(pack, (char)(c | 0x80));
        c = size & 0x7f;
    }
    buf_putc(pack, (char)c);
    uLongf len = compressBound((uLong)object->content.len) + 64;
    unsigned char *packed = xmalloc(len);
    compress2(packed, &len, (const unsigned char *)object->content.at, (uLong)object->content.len,
              0);
    buf_add(pack, packed, len);
    free(packed);
    object->offset = (uint32_t)start;
    object->crc =
        (uint32_t)crc32(0, (const unsigned char *)pack->at + start, (uInt)(pack->len - start));
}

void git_objects_pack(struct git_objects *objects, struct buf *pack, struct buf *index,
                      char name[41])
{
    qsort(objects->at, (size_t)objects->n, sizeof *objects->at, by_id);
    buf_add(pack, "PACK", 4);
    add_u32(pack, 2);
    add_u32(pack, (uint32_t)objects->n);
    for (int i = 0; i < objects->n; i++)
        add_object(pack, &objects->at[i]);
    struct git_id trailer = sha1(buf_text(pack));
    buf_add(pack, trailer.byte, 20);
    git_hex(trailer, name);
    buf_add(index, "\377tOc", 4);
    add_u32(index, 2);
    for (int byte = 0, i = 0; byte < 256; byte++) {
        while (i < objects->n && objects->at[i].id.byte[0] <= byte)
            i++;
        add_u32(index, (uint32_t)i);
    }
    for (int i = 0; i < objects->n; i++)
        buf_add(index, objects->at[i].id.byte, 20);
    for (int i = 0; i < objects->n; i++)
        add_u32(index, objects->at[i].crc);
    for (int i = 0; i < objects->n; i++)
        add_u32(index, objects->at[i].offset);
    buf_add(index, trailer.byte, 20);
    add_trailer(index);
}

/* File times are left out (zero): git compares contents once and then knows. */
void git_index(const struct git_file *files, int n, struct buf *out)
{
    buf_add(out, "DIRC", 4);
    add_u32(out, 2);
    add_u32(out, (uint32_t)n);
    for (int i = 0; i < n; i++) {
        size_t start = out->len, len = strlen(files[i].path);
        for (int k = 0; k < 6; k++)
            add_u32(out, 0); /* change and modification times, device, inode */
        add_u32(out, (uint32_t)files[i].mode);
        add_u32(out, 0);
        add_u32(out, 0); /* owner */
        add_u32(out, (uint32_t)files[i].content.len);
        buf_add(out, files[i].id.byte, 20);
        size_t flags = len < 0xfff ? len : 0xfff;
        buf_putc(out, (char)(flags >> 8));
        buf_putc(out, (char)(flags & 0xff));
        buf_add(out, files[i].path, len);
        do
            buf_putc(out, '\0');
        while ((out->len - start) % 8);
    }
    add_trailer(out);
}
