// A new key, shown this once, and how to use it.

import { button, copyButton } from './button.js';
import { connectSection } from './connect.js';
import { h } from './dom.js';

/** What a dialog shows after a key was made. `keep` is told once the key was copied; `close` closes the dialog. */
export function newKeyView({ context, created, title, told = null, keep, close }) {
    return {
        title,
        wide: true,
        body: [
            told && h('p', {}, told),
            h(
                'div',
                { class: 'stack' },
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
                    h(
                        'p',
                        { class: 'small quiet' },
                        context.session.mcp_url
                            ? 'With the key and the server’s URL filled in.'
                            : 'With the key filled in, and the server’s URL once you have entered it.',
                    ),
                    h('div', { class: 'stack' }, connectSection({ context, key: created.key, oncopy: keep })),
                ),
            ),
        ],
        foot: button('Done', { kind: 'primary', onclick: close }),
    };
}

/** Keeps an uncopied key from going with the first press of Escape or Done, and with the page. */
export function guardSecret() {
    let shown = false;
    let safe = false;
    const warn = (event) => {
        if (!safe) event.preventDefault();
    };
    return {
        /** The key is on the screen. */
        show: () => {
            shown = true;
            addEventListener('beforeunload', warn);
        },
        isShown: () => shown,
        /** The key is gone from the screen. */
        leave: () => removeEventListener('beforeunload', warn),
        /** The key was copied. */
        keep: () => {
            safe = true;
        },
        /** Whether the dialog stays open; says why, once. */
        stays: (say) => {
            if (!shown || safe) return false;
            safe = true;
            say('The key has not been copied. Once more closes anyway.');
            return true;
        },
    };
}
