#include "sim/base/error.h"

#include <stdarg.h>
#include <stdio.h>

int error_set(struct error *error, int code, const char *format, ...)
{
    if (error) {
        va_list args;
        va_start(args, format);
        vsnprintf(error->text, sizeof error->text, format, args);
        va_end(args);
    }
    return code;
}

int error_wrap(struct error *error, int code, const char *format, ...)
{
    if (error) {
        struct error inner = *error;
        va_list args;
        va_start(args, format);
        int n = vsnprintf(error->text, sizeof error->text, format, args);
        va_end(args);
        if (n >= 0 && (size_t)n < sizeof error->text)
            snprintf(error->text + n, sizeof error->text - (size_t)n, ": %.900s", inner.text);
    }
    return code;
}
