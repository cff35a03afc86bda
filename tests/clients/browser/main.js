// A page of another origin in a headless Chromium, with the official TypeScript SDK in it. The browser is the one that checks
// CORS, so nothing of its security is switched off.

import { createServer } from 'node:http';
import chromium from '@sparticuz/chromium';
import { build } from 'esbuild';
import puppeteer from 'puppeteer-core';

import { serve } from '../typescript/serve.js';

const bundle = await build({
    entryPoints: [new URL('page.js', import.meta.url).pathname],
    bundle: true,
    format: 'iife',
    platform: 'browser',
    write: false
});
const html = `<!doctype html><meta charset="utf-8"><title>client</title><script>${bundle.outputFiles[0].text}</script>`;
const site = createServer((_, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(html);
});
await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));

const browser = await puppeteer.launch({
    executablePath: await chromium.executablePath(),
    headless: 'shell',
    // As root there is no sandbox; what runs here is ours.
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']
});
const page = await browser.newPage();
// `localhost`, where the gateway is 127.0.0.1: another host, so another origin for sure.
await page.goto(`http://localhost:${site.address().port}/`);
process.on('exit', () => browser.process()?.kill('SIGKILL'));
await serve((command) => page.evaluate((command) => globalThis.perform(command), command));
