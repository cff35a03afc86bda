// Fills a place with something that must be fetched: a word while it loads, the reason and a button when it fails.

import { h, put } from './dom.js';
import { failureNotice } from './failure.js';

/** What each place was last asked to hold: an answer that comes late must not replace a newer one. */
const wanted = new WeakMap();

/** Fetches with `load` and shows what `draw` makes of it. */
export async function fill(place, what, load, draw) {
    const mine = {};
    wanted.set(place, mine);
    place.setAttribute('aria-busy', 'true');
    put(place, loading(what));
    let content;
    try {
        const loaded = await load();
        if (wanted.get(place) !== mine) return;
        content = draw(loaded);
    } catch (failure) {
        if (failure.name === 'AbortError' || failure.signedOut || wanted.get(place) !== mine) return;
        const retry = () => fill(place, what, load, draw);
        content = h('div', { class: 'card-body' }, failureNotice(failure, { title: `Could not load ${what}`, retry }));
    }
    put(place, content);
    place.removeAttribute('aria-busy');
}

/** What stands in a place until it is there. */
export function loading(what) {
    return h('p', { class: 'loading' }, h('span', { class: 'spinner', 'aria-hidden': 'true' }), `Loading ${what}…`);
}

/** All items of a list that comes in pages, up to `most`. */
export async function allPages(fetchPage, most = 2000) {
    return (await pagesUpTo(fetchPage, most)).items;
}

/** As many pages as hold that many items, as one; its `next_cursor` is that of the page after them. */
export async function pagesUpTo(fetchPage, count) {
    const items = [];
    let cursor = null;
    do {
        const { body } = await fetchPage(cursor);
        items.push(...body.items);
        cursor = body.next_cursor;
    } while (cursor && items.length < count);
    return { items, next_cursor: cursor };
}
