// Labelled fields of forms, and what the API says is wrong with them.

import { h, freshId } from './dom.js';
import { sentence } from './failure.js';

/** A field: its element, its control, and where its problem is told. `name` is the field's name in the API. */
export function field({ label, name, id = freshId(name ?? 'field'), hint = '', control, ...attributes }) {
    const hintId = `${id}-hint`;
    const problemId = `${id}-problem`;
    const input =
        control ?? h('input', { class: 'input', type: 'text', autocomplete: 'off', spellcheck: 'false', ...attributes });
    input.id = id;
    input.setAttribute('aria-describedby', `${hintId} ${problemId}`);
    const problem = h('p', { class: 'problem', id: problemId });
    const element = h(
        'div',
        { class: 'field' },
        h('label', { for: id }, label),
        input,
        h('p', { class: 'hint', id: hintId, hidden: !hint }, hint),
        problem,
    );
    return {
        element,
        input,
        name,
        get value() {
            return input.value;
        },
        complain(text) {
            problem.textContent = text;
            if (text) input.setAttribute('aria-invalid', 'true');
            else input.removeAttribute('aria-invalid');
        },
    };
}

/** A select, with options as pairs of value and label. */
export function select({ options, value, fit = false, ...attributes }) {
    const element = h(
        'select',
        { class: fit ? 'select fit' : 'select', ...attributes },
        options.map(([option, text]) => h('option', { value: option }, text)),
    );
    if (value !== undefined) element.value = value;
    return element;
}

/** Puts each error of a failure beside the field it names. Returns what is left for a notice, or null. */
export function complain(fields, failure) {
    for (const one of fields) one.complain('');
    const errors = failure?.errors ?? [];
    const rest = [];
    let first = null;
    for (const error of errors) {
        const named = fields.find((one) => error.startsWith(`${one.name} `));
        if (named) {
            named.complain(sentence(error.replace(named.name, 'This')));
            first ??= named;
        } else {
            rest.push(error);
        }
    }
    first?.input.focus();
    if (!failure || (errors.length > 0 && rest.length === 0)) return null;
    failure.errors = rest;
    return failure;
}
