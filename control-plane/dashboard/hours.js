// Hours and days as the counts are kept: hours begin on the hour in UTC, days at the reader's midnight.

export const HOUR_MS = 3_600_000;

/** When the last so many hours began, as the API takes it. */
export function hoursAgo(number, now = Date.now()) {
    return new Date(now - number * HOUR_MS).toISOString();
}

/**
 * The beginnings of the hours that the last so many hours touch, oldest first, in milliseconds. They are one more than that
 * many, because neither the first nor the last is over or begun on the hour; the API counts the same ones.
 */
export function lastHours(number, now = Date.now()) {
    const current = Math.floor(now / HOUR_MS) * HOUR_MS;
    return Array.from({ length: number + 1 }, (_, index) => current - (number - index) * HOUR_MS);
}

/** The reader's midnight before a time. */
export function midnight(time) {
    return new Date(time).setHours(0, 0, 0, 0);
}
