// Addresses: which page a path names, and how to get from one to another without loading anew.

import { h } from './dom.js';
import { isHeld } from './hold.js';
import { toast } from './toast.js';

const ROOT = '/dashboard/';
let changed = () => {};
/** The address of what is on the screen. */
let shown = location.pathname + location.search;

/** Calls `listener` whenever the address changes, and for every link within the dashboard. */
export function onNavigation(listener) {
    changed = listener;
    addEventListener('popstate', () => {
        if (isHeld()) {
            history.pushState(null, '', shown);
            toast('Close this dialog before you leave the page.');
            return;
        }
        shown = location.pathname + location.search;
        changed();
    });
    document.addEventListener('click', (event) => {
        const anchor = event.target.closest?.('a[href]');
        const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
        if (
            !anchor ||
            !plain ||
            event.defaultPrevented ||
            anchor.target ||
            anchor.origin !== location.origin ||
            !anchor.pathname.startsWith(ROOT) ||
            anchor.pathname.startsWith(`${ROOT}assets/`)
        )
            return;
        if (anchor.pathname === location.pathname && anchor.search === location.search && anchor.hash) return;
        event.preventDefault();
        go(anchor.pathname + anchor.search);
    });
}

/** Goes to an address. */
export function go(address, { replace = false } = {}) {
    if (replace) history.replaceState(null, '', address);
    else history.pushState(null, '', address);
    shown = address;
    changed();
}

/** Changes parameters of the address without leaving the page; null removes one. */
export function setQuery(parameters) {
    const query = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(parameters)) {
        if (value === null || value === undefined || value === '') query.delete(name);
        else query.set(name, value);
    }
    shown = query.size > 0 ? `${location.pathname}?${query}` : location.pathname;
    history.replaceState(null, '', shown);
}

/** The address of a page, for that project if one is given. */
export function addressOf(name, project = null, parameters = {}) {
    const query = new URLSearchParams(parameters);
    if (project) query.set('project', project);
    return `${ROOT}${name}${query.size > 0 ? `?${query}` : ''}`;
}

/** The page's name in the path: `settings` of `/dashboard/settings`. */
export function pageName() {
    return location.pathname.slice(ROOT.length).replace(/\/$/, '');
}

/** A link to a page. */
export function link(address, label, attributes = {}) {
    return h('a', { href: address, ...attributes }, label);
}
