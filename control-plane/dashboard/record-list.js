// A list of records in a card, read page by page: a table, what stands there when it is empty, and a button for more.

import { busy, button } from './button.js';
import { h, put } from './dom.js';
import { showFailure } from './failure.js';
import { fill } from './load.js';
import { table } from './table.js';
import { say } from './toast.js';

/**
 * `fetchPage` is given a cursor or null and returns a page; `empty` returns what to show when there is nothing; `what` names the
 * records in the plural. `reload` of what it returns reads the first page again.
 */
export function recordList({ what, caption, id, columns, fetchPage, empty }) {
    let known = false;
    const card = h('section', { class: 'card', 'aria-label': caption });
    const reload = () =>
        fill(
            card,
            what,
            () => fetchPage(null),
            ({ body }) => drawn(body),
        );

    function drawn(page) {
        // The first time the page's own heading is spoken; after that nothing else tells of a change.
        if (known) say(page.items.length === 0 ? `No ${what}` : `${page.items.length} ${what} shown`);
        known = true;
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
                        if (cursor) return;
                        // The button goes; the keyboard goes on at the last row.
                        rows.element.tabIndex = -1;
                        rows.element.focus();
                        place.remove();
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
