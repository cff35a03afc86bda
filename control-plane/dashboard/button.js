// Buttons: a plain one, one that is busy while it works, one that copies.

import { h } from './dom.js';
import { icon } from './icons.js';
import { toast } from './toast.js';

/** A button. `kind` is `primary`, `danger`, `plain`, `compact`, or several of them. */
export function button(label, { kind = '', ...attributes } = {}) {
    return h('button', { type: 'button', class: `button ${kind}`.trim(), ...attributes }, label);
}

/** Runs something while a control says that it is busy; a second press meanwhile does nothing. */
export async function busy(control, work) {
    if (control.getAttribute('aria-busy') === 'true') return;
    control.setAttribute('aria-busy', 'true');
    control.setAttribute('aria-disabled', 'true');
    try {
        await work();
    } finally {
        control.removeAttribute('aria-busy');
        control.removeAttribute('aria-disabled');
    }
}

/** A button that copies a text; `text` may be a function. `what` names it for screen readers. */
export function copyButton(what, text, { oncopy = () => {}, kind = 'compact' } = {}) {
    const label = h('span', {}, 'Copy');
    const copy = async () => {
        try {
            await navigator.clipboard.writeText(typeof text === 'function' ? text() : text);
        } catch {
            toast('The browser did not allow copying. Select the text and copy it.');
            return;
        }
        label.textContent = 'Copied';
        setTimeout(() => {
            label.textContent = 'Copy';
        }, 2000);
        toast(`Copied ${what}.`);
        oncopy();
    };
    return h(
        'button',
        { type: 'button', class: `button ${kind}`, onclick: copy },
        icon('copy', 15),
        h('span', {}, label, h('span', { class: 'unseen' }, ` ${what}`)),
    );
}
