// The tools that the conformance suite calls by name and that need nothing from the client, and `echo`. They know no SDK:
// `io` is what the wiring of each SDK offers them.

import { audio, image, resource, says, text } from './content.js';

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const NOTHING = { type: 'object', properties: {} };

export const tools = {
    echo: {
        description: 'Says back what it is told',
        inputSchema: { type: 'object', properties: { message: { type: 'string' } } },
        call: ({ message }) => says(message ?? '')
    },
    test_simple_text: {
        description: 'Answers with text',
        call: () => says('This is a simple text response for testing.')
    },
    test_image_content: { description: 'Answers with an image', call: () => ({ content: [image()] }) },
    test_audio_content: { description: 'Answers with audio', call: () => ({ content: [audio()] }) },
    test_embedded_resource: {
        description: 'Answers with a resource',
        call: () => ({
            content: [resource('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')]
        })
    },
    test_multiple_content_types: {
        description: 'Answers with text, an image and a resource',
        call: () => ({
            content: [
                text('Multiple content types test:'),
                image(),
                resource('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}')
            ]
        })
    },
    test_tool_with_logging: {
        description: 'Logs while it works',
        async call(_, io) {
            await io.log('Tool execution started');
            await pause(50);
            await io.log('Tool processing data');
            await pause(50);
            await io.log('Tool execution completed');
            return says('Logged three times.');
        }
    },
    test_tool_with_progress: {
        description: 'Reports progress while it works',
        async call(_, io) {
            await io.progress(0, 100);
            await pause(50);
            await io.progress(50, 100);
            await pause(50);
            await io.progress(100, 100);
            return says('Progressed to the end.');
        }
    },
    test_error_handling: {
        description: 'Always fails',
        call() {
            throw new Error('This tool intentionally returns an error for testing');
        }
    },
    test_logging_tool: {
        description: 'Logs once',
        async call(_, io) {
            await io.log('one line');
            return says('Logged once.');
        }
    },
    test_streaming_elicitation: {
        description: 'Streams its answer, and asks nothing in between',
        async call(_, io) {
            await io.progress(1, 2);
            await io.progress(2, 2);
            return says('Streamed.');
        }
    },
    test_missing_capability: {
        description: 'Needs a client that can be asked for a sample',
        call: (_, io) => io.requireCapability('sampling') ?? says('The client can be asked.')
    },
    test_custom_header: {
        description: 'Has an argument that is also a header',
        inputSchema: {
            type: 'object',
            properties: { region: { type: 'string', 'x-mcp-header': 'Region' }, query: { type: 'string' } }
        },
        call: ({ region }) => says(`region ${region}`)
    },
    json_schema_2020_12_tool: {
        description: 'Has the vocabulary of JSON Schema 2020-12',
        inputSchema: {
            $schema: 'https://json-schema.org/draft/2020-12/schema',
            type: 'object',
            $defs: {
                address: {
                    $anchor: 'addressDef',
                    type: 'object',
                    properties: { street: { type: 'string' }, city: { type: 'string' } }
                }
            },
            properties: {
                name: { type: 'string' },
                address: { $ref: '#/$defs/address' },
                contactMethod: { type: 'string', enum: ['phone', 'email'] },
                phone: { type: 'string' },
                email: { type: 'string' }
            },
            allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
            if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
            then: { required: ['phone'] },
            else: { required: ['email'] },
            additionalProperties: false
        },
        call: () => says('well formed')
    }
};

/** A tool's inputs as `tools/list` shows them. */
export const inputSchema = (tool) => tool.inputSchema ?? NOTHING;
