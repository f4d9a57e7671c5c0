/* Cases and controls: any bytes end in rows of known places inside the period, or an error that
 * names file, line and column. The counts cut to slots add up. */
#include "fuzz_scan_records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    struct arena *a = arena_new((size_t)256 << 20);
    struct reading r;
    struct source s;
    struct count_rows rows;
    struct err err = {0};
    app_assert(a != NULL);
    if (fuzz_begin(a, data, size, &r, &s) &&
        !fuzz_refused(records_counts(&r, &s, &fuzz_layout, "cases", &rows, &err), &err)) {
        int64_t sum = 0;
        for (size_t i = 0; i < rows.n; i++) {
            const struct count_row *row = &rows.row[i];
            app_assert(row->n > 0 && row->id < r.ids.n && row->category < r.strata.n);
            app_assert(row->day >= rows.first_day && row->day <= rows.last_day);
            if (r.has_period) app_assert(row->day >= r.start && row->day <= r.end);
            sum += row->n;
        }
        app_assert(sum == rows.total);
        struct time_slots slots;
        if (rows.n > 0 &&
            time_slots(a, rows.first_day, rows.last_day, r.generic ? TIME_GENERIC : TIME_MONTH,
                       1 + data[0] % 3, &slots, &err) == ERR_OK) {
            uint32_t slot;
            for (size_t i = 0; i < rows.n; i++)
                app_assert(time_slot_of(&slots, rows.row[i].day, &slot) && slot < slots.n);
        }
    }
    arena_free(a);
    return 0;
}
