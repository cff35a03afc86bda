// Reads commands from standard input and writes the answers to standard output, a line each.

import { createInterface } from 'node:readline';

/** Has `perform` carry out commands until there are no more. */
export async function serve(perform) {
    for await (const line of createInterface({ input: process.stdin })) {
        process.stdout.write(`${JSON.stringify(await perform(JSON.parse(line)))}\n`);
    }
    process.exit(0);
}
