// The choice of when a key expires: never, after some days, or at a time of the reader's choosing.

import { field, select } from './field.js';
import { freshId } from './dom.js';

const DAY_MS = 86_400_000;
const CHOICES = [
    ['', 'Never'],
    ['7', 'In 7 days'],
    ['30', 'In 30 days'],
    ['90', 'In 90 days'],
    ['365', 'In a year'],
    ['at', 'At a time I choose'],
];

/** `value` of what it returns is a time as the API takes it, or null. `now` is the expiry to begin with. */
export function expiryFields(label, now = null) {
    const choice = select({ options: CHOICES, value: now ? 'at' : '' });
    const when = field({
        label: 'Expires at',
        name: 'expires_at',
        id: freshId('expires-at'),
        type: 'datetime-local',
        hint: `Your local time (${Intl.DateTimeFormat().resolvedOptions().timeZone}).`,
        value: local(now ? new Date(now) : new Date(Date.now() + 30 * DAY_MS)),
    });
    const sync = () => {
        when.element.hidden = choice.value !== 'at';
    };
    choice.addEventListener('change', sync);
    sync();
    return {
        fields: [field({ label, name: 'expires_in', id: freshId('expiry'), control: choice }), when],
        value() {
            if (choice.value === '') return null;
            if (choice.value !== 'at') return new Date(Date.now() + Number(choice.value) * DAY_MS).toISOString();
            const time = new Date(when.value);
            // What is no time goes to the API as it is, which says what is wrong with it.
            return Number.isNaN(time.getTime()) ? when.value : time.toISOString();
        },
    };
}

/** A time as the field takes it: local, to the minute. */
function local(date) {
    const shifted = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
    return shifted.toISOString().slice(0, 16);
}
