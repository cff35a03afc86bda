// The program of the official TypeScript SDK, version 1.

import { performer } from './commands.js';
import { serve } from './serve.js';
import { connect } from './v1.js';

await serve(performer(connect));
