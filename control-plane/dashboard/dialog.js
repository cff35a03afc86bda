// Dialogs, on the browser's own <dialog>: it holds the focus, closes on Escape and gives the focus back.

import { h, put, freshId } from './dom.js';
import { busy, button } from './button.js';
import { sentence, showFailure } from './failure.js';
import { complain } from './field.js';
import { carryOver, toast } from './toast.js';

/** Of each open dialog, whether it must stay when the page below it goes. */
const stays = new Map();

/**
 * Opens a dialog. Returns `close` and `show`, which puts something else into it. `onleave` may keep it open by returning
 * true when its reader presses Escape; `holds`, when the page below goes.
 */
export function openDialog({ title, body, foot, wide = false, onclose = () => {}, onleave = () => false, holds = () => false }) {
    const titleId = freshId('dialog-title');
    const head = h('h2', { id: titleId, tabindex: '-1' }, title);
    const main = h('div', { class: 'dialog-body' }, body);
    // What lies outside of an open dialog is not spoken: it has a place for messages of its own.
    const toasts = h('div', { class: 'toasts', role: 'status' });
    const bottom = h('div', { class: 'dialog-foot' }, foot);
    const element = h(
        'dialog',
        { class: wide ? 'dialog wide' : 'dialog', 'aria-labelledby': titleId },
        h('div', { class: 'dialog-head' }, head),
        main,
        bottom,
        toasts,
    );
    const before = document.activeElement;
    element.addEventListener('cancel', (event) => {
        if (event.target === element && onleave()) event.preventDefault();
    });
    element.addEventListener('close', (event) => {
        if (event.target !== element) return;
        stays.delete(element);
        element.remove();
        carryOver(toasts);
        onclose();
        // What opened it may be gone, when the page was drawn anew.
        if (!before?.isConnected) document.querySelector('h1')?.focus();
    });
    document.body.append(element);
    stays.set(element, holds);
    element.showModal();
    return {
        element,
        close: () => element.close(),
        show(next) {
            head.textContent = next.title;
            put(main, next.body);
            put(bottom, next.foot);
            element.classList.toggle('wide', next.wide ?? wide);
            element.scrollTop = 0;
            head.focus();
        },
    };
}

/** Closes the dialogs that need not stay, when the page below them goes. */
export function closeDialogs() {
    for (const [element, holds] of [...stays]) if (!holds()) element.close();
}

/** Asks before something is done. `act` does it and may throw; the dialog closes when it has. */
export function confirm({ title, body, label, danger = false, act, ...options }) {
    return ask({ title, body, label, kind: danger ? 'danger' : 'primary', submit: act, ...options });
}

/**
 * A form in a dialog. `submit` sends it and may throw a `Failure`, whose errors go beside the fields they name. What it
 * returns, if anything, is shown in the dialog in place of the form.
 */
export function ask({
    title,
    body,
    fields = [],
    label,
    kind = 'primary',
    submit,
    cancel = 'Cancel',
    onleave = () => false,
    holds = () => false,
    ...options
}) {
    const problem = h('div');
    // Without a field the heading has the focus, so that the question is read before it is answered.
    fields[0]?.input.setAttribute('autofocus', '');
    const form = h(
        'form',
        { class: 'stack', novalidate: true, id: freshId('form') },
        body,
        fields.map((one) => one.element),
        problem,
    );
    const send = h('button', { type: 'submit', class: `button ${kind}`, form: form.id }, label);
    // What has been sent will be done: whoever sent it waits to see what became of it.
    let sending = false;
    const away = button(cancel, { onclick: () => sending || dialog.close() });
    const opened = (content) =>
        openDialog({ ...options, ...content, onleave: () => sending || onleave(), holds: () => sending || holds() });
    let dialog = opened({ title, body: form, foot: [away, send] });
    form.addEventListener('submit', (event) => {
        event.preventDefault();
        busy(send, async () => {
            showFailure(problem, null);
            if (!complete(fields)) return;
            sending = true;
            away.setAttribute('aria-disabled', 'true');
            try {
                const next = await submit();
                // A browser closes a dialog at the second Escape, whatever the page says.
                if (next && !dialog.element.open) dialog = opened(next);
                else if (next) dialog.show(next);
                else dialog.close();
            } catch (failure) {
                if (failure.signedOut) dialog.close();
                else if (dialog.element.open) showFailure(problem, complain(fields, failure));
                else toast(`${title} ${sentence(failure.message)}`);
            } finally {
                sending = false;
                away.removeAttribute('aria-disabled');
            }
        });
    });
    return { close: () => dialog.close() };
}

/** Whether all fields that must be filled in are; complains about those that are not. */
function complete(fields) {
    for (const one of fields) one.complain(one.input.required && !one.value.trim() ? 'Fill this in.' : '');
    const first = fields.find((one) => one.input.required && !one.value.trim());
    first?.input.focus();
    return !first;
}
