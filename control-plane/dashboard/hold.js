// What keeps the page as it is: a dialog that waits for an answer, or that shows what would be lost.

const holders = new Set();
let waiting = null;

/** Holds the page until `release` is called with the same holder. */
export function hold(holder) {
    holders.add(holder);
}

/** Gives the page free again, and does what waited for that. */
export function release(holder) {
    holders.delete(holder);
    if (holders.size > 0) return;
    const act = waiting;
    waiting = null;
    act?.();
}

/** Whether anything holds the page. */
export const isHeld = () => holders.size > 0;

/** Does something once nothing holds the page. Of several only the latest is done: each shows the page anew. */
export function whenFree(act) {
    if (isHeld()) waiting = act;
    else act();
}

// The browser asks before a page that is held is closed or loaded anew.
window.addEventListener('beforeunload', (event) => {
    if (isHeld()) event.preventDefault();
});
