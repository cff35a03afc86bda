// A list of records in a card, read page by page: a table, what stands there when it is empty, and a button for more.

import { busy, button } from './button.js';
import { h, put } from './dom.js';
import { showFailure } from './failure.js';
import { fill, pagesUpTo } from './load.js';
import { focusRow, table } from './table.js';
import { say } from './toast.js';

/**
 * `fetchPage` is given a cursor or null and returns a page; `empty` returns what to show when there is nothing; `what` names the
 * records in the plural. Of what it returns, `reload` shows the first page as if for the first time; `refresh` brings up to date
 * what is shown, after a record was changed.
 */
export function recordList({ what, caption, id, columns, fetchPage, empty }) {
    let known = false;
    /** What is shown: the table, how many records, and the place below it. Null while that is no table. */
    let shown = null;
    /** Counts what the list was asked for: an answer that comes late must not replace a newer one. */
    let turn = 0;
    const card = h('section', { class: 'card', 'aria-label': caption });

    function reload() {
        turn += 1;
        shown = null;
        return fill(
            card,
            what,
            () => fetchPage(null),
            ({ body }) => drawn(body),
        );
    }

    async function refresh() {
        if (!shown) return reload();
        turn += 1;
        const [mine, now] = [turn, shown];
        try {
            const page = await pagesUpTo(fetchPage, now.count);
            if (turn !== mine) return;
            if (page.items.length === 0) return redrawn(page);
            now.rows.update(page.items);
            now.count = page.items.length;
            put(now.place, more(now, page.next_cursor));
        } catch (failure) {
            if (turn === mine) showFailure(now.place, failure, { title: `Could not load ${what} again`, retry: refresh });
        }
    }

    function redrawn(page) {
        put(card, drawn(page));
        document.querySelector('h1')?.focus();
    }

    function drawn(page) {
        // The first time the page's own heading is spoken; after that nothing else tells of a change.
        if (known) tell(page.items.length);
        known = true;
        shown = null;
        if (page.items.length === 0) return empty();
        const rows = table({ caption, columns, id });
        rows.show(page.items);
        shown = { rows, count: page.items.length, place: h('div') };
        put(shown.place, more(shown, page.next_cursor));
        return [rows.element, shown.place];
    }

    function tell(count) {
        say(count === 0 ? `No ${what}` : `${count} ${what} shown`);
    }

    function more(now, cursor) {
        if (!cursor) return null;
        const problem = h('div');
        const next = button(`Show more ${what}`, {
            kind: 'compact',
            onclick: () =>
                busy(next, async () => {
                    turn += 1;
                    const mine = turn;
                    try {
                        const { body } = await fetchPage(cursor);
                        if (turn !== mine) return;
                        const first = now.rows.add(body.items);
                        now.count += body.items.length;
                        cursor = body.next_cursor;
                        tell(now.count);
                        put(problem);
                        if (cursor) return;
                        // The button goes, and would take the focus with it.
                        put(now.place);
                        if (first) focusRow(first);
                    } catch (failure) {
                        if (turn === mine) showFailure(problem, failure, { title: `Could not load more ${what}` });
                    }
                }),
        });
        return h('div', { class: 'table-more' }, next, problem);
    }

    return { element: card, reload, refresh };
}
