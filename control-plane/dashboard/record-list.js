// A list of records in a card, read page by page: a table, what stands there when it is empty, and a button for more.

import { busy, button } from './button.js';
import { h, put } from './dom.js';
import { showFailure } from './failure.js';
import { fill } from './load.js';
import { table } from './table.js';

/**
 * `fetchPage` is given a cursor or null and returns a page; `empty` returns what to show when there is nothing; `what` names the
 * records in the plural. `reload` of what it returns reads the first page again.
 */
export function recordList({ what, caption, id, columns, fetchPage, empty }) {
    const card = h('section', { class: 'card', 'aria-label': caption });
    const reload = () =>
        fill(
            card,
            what,
            () => fetchPage(null),
            ({ body }) => drawn(body),
        );

    function drawn(page) {
        if (page.items.length === 0) return empty();
        const rows = table({ caption, columns, id });
        rows.show(page.items);
        return [rows.element, more(rows, page.next_cursor)];
    }

    function more(rows, cursor) {
        if (!cursor) return null;
        const problem = h('div');
        const next = button(`Show more ${what}`, {
            kind: 'compact',
            onclick: () =>
                busy(next, async () => {
                    try {
                        const { body } = await fetchPage(cursor);
                        rows.add(body.items);
                        cursor = body.next_cursor;
                        put(problem);
                        if (!cursor) place.remove();
                    } catch (failure) {
                        showFailure(problem, failure, { title: `Could not load more ${what}` });
                    }
                }),
        });
        const place = h('div', { class: 'table-more' }, next, problem);
        return place;
    }

    return { element: card, reload };
}
