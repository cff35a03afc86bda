// A new key, shown this once, and how to use it.

import { button, copyButton } from './button.js';
import { connectSection } from './connect.js';
import { h } from './dom.js';
import { hold, release } from './hold.js';
import { toast } from './toast.js';

/** Holds the page while a key is shown that is not shown again. */
const SECRET = {};

/** What a dialog shows after a key was made. `keep` is told once the key was copied; `close` closes the dialog. */
export function newKeyView({ context, created, title, servers, told = null, keep, close }) {
    return {
        title,
        wide: true,
        body: [
            told && h('p', {}, told),
            h(
                'div',
                { class: 'stack', oncopy: keep },
                h(
                    'div',
                    { class: 'notice warn' },
                    h('p', { class: 'title' }, 'Copy the key now'),
                    h('p', {}, 'It is shown this once. Only its hash is kept, so nobody can show it again.'),
                ),
                h(
                    'div',
                    { class: 'secret' },
                    h('output', { id: 'new-key-secret', 'aria-label': 'The new key' }, created.key),
                    copyButton('the key', created.key, { kind: 'primary', oncopy: keep }),
                ),
                h(
                    'section',
                    { 'aria-labelledby': 'connect-title' },
                    h('h3', { id: 'connect-title' }, 'Connect a client'),
                    h('p', { class: 'small quiet' }, context.session.mcp_url ? 'With the key and the server’s URL filled in.' : 'With the key filled in.'),
                    h('div', { class: 'stack' }, connectSection({ context, key: created.key, servers, oncopy: keep })),
                ),
            ),
        ],
        foot: button('Done', { kind: 'primary', onclick: close }),
    };
}

/** Keeps a dialog with an uncopied key from being closed at the first attempt, and the page from going away below it. */
export function guardSecret() {
    let shown = false;
    let safe = false;
    let warning = null;
    return {
        /** The key is on the screen. */
        show: () => {
            shown = true;
            hold(SECRET);
        },
        isShown: () => shown,
        /** The key was copied. */
        keep: () => {
            safe = true;
        },
        /** Whether the dialog stays open; says why, once. */
        stays: () => {
            warning?.remove();
            if (!shown || safe) return false;
            safe = true;
            warning = toast('The key has not been copied. Do that again to close without it.');
            return true;
        },
        /** The dialog is closed. */
        end: () => release(SECRET),
    };
}
