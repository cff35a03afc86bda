// Fills a place with something that must be fetched: a word while it loads, the reason and a button when it fails.

import { h, put } from './dom.js';
import { failureNotice } from './failure.js';

/** Fetches with `load` and shows what `draw` makes of it. */
export async function fill(place, what, load, draw) {
    place.setAttribute('aria-busy', 'true');
    put(place, loading(what));
    try {
        const loaded = await load();
        put(place, draw(loaded));
    } catch (failure) {
        if (failure.name === 'AbortError' || failure.signedOut) return;
        put(
            place,
            h(
                'div',
                { class: 'card-body' },
                failureNotice(failure, { title: `Could not load ${what}`, retry: () => fill(place, what, load, draw) }),
            ),
        );
    } finally {
        place.removeAttribute('aria-busy');
    }
}

/** What stands in a place until it is there. */
export function loading(what) {
    return h('p', { class: 'loading' }, h('span', { class: 'spinner', 'aria-hidden': 'true' }), `Loading ${what}…`);
}

/** All items of a list that comes in pages, up to `most`. */
export async function allPages(fetchPage, most = 2000) {
    const items = [];
    let cursor = null;
    do {
        const { body } = await fetchPage(cursor);
        items.push(...body.items);
        cursor = body.next_cursor;
    } while (cursor && items.length < most);
    return items;
}
