#include "reports/plot/lanes.h"

enum { GAP = 6, LANES_MAX = 64 };

static double left_of(const struct mark *mark)
{
    return mark->flipped ? mark->x - 4 - mark->width : mark->x + 4;
}

static double right_of(const struct mark *mark)
{
    return left_of(mark) + mark->width;
}

static bool cuts(const struct mark *leader, const struct mark *label)
{
    return leader->lane > label->lane && leader->x > left_of(label) - GAP &&
           leader->x < right_of(label) + GAP;
}

static bool collide(const struct mark *a, const struct mark *b)
{
    bool same_lane =
        a->lane == b->lane && left_of(a) < right_of(b) + GAP && left_of(b) < right_of(a) + GAP;
    return same_lane || cuts(a, b) || cuts(b, a);
}

/* The lowest lane in which it collides with none of those after it; when there is none, a lane of
 * its own on top: then a leader may cut a label, but no label covers another. */
static int lowest_lane(struct mark *marks, int n, int i, int top)
{
    for (marks[i].lane = 0; marks[i].lane <= top; marks[i].lane++) {
        bool free = true;
        for (int k = i + 1; free && k < n; k++)
            free = !collide(&marks[i], &marks[k]);
        if (free)
            return marks[i].lane;
    }
    return top;
}

int lanes_assign(struct mark *marks, int n, double right)
{
    int top = 0; /* the first lane that is still empty */
    for (int i = n - 1; i >= 0; i--) {
        marks[i].flipped = false;
        marks[i].flipped = right_of(&marks[i]) > right;
        marks[i].lane = lowest_lane(marks, n, i, top);
        if (marks[i].lane == top && top < LANES_MAX)
            top++;
    }
    return top;
}
