// SPDX-License-Identifier: Apache-2.0
// The official client against the proxy: chat, streaming, tools, embeddings, models, abort, retries. Prints one line of JSON per
// case; tests/support/proxy/node_client.py reads them. usage: node client.mjs BASE_URL KEY
import OpenAI from "openai";

const [baseURL, apiKey] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 20_000 });
const messages = [{ role: "user", content: "hello" }];
const tools = [{ type: "function", function: { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } } } } }];

const cases = {
  async chat() {
    const answer = await client.chat.completions.create({ model: "gpt-4", messages });
    return { text: answer.choices[0].message.content, total: answer.usage.total_tokens };
  },
  async stream() {
    let text = "";
    let chunks = 0;
    for await (const chunk of await client.chat.completions.create({ model: "gpt-4", messages, stream: true })) {
      text += chunk.choices[0]?.delta?.content ?? "";
      chunks += 1;
    }
    return { text, chunks };
  },
  async stream_with_usage() {
    let usage = null;
    const asked = { model: "gpt-4", messages, stream: true, stream_options: { include_usage: true } };
    for await (const chunk of await client.chat.completions.create(asked)) usage = chunk.usage ?? usage;
    return { total: usage.total_tokens };
  },
  async tools() {
    const answer = await client.chat.completions.create({ model: "gpt-4", messages, tools, tool_choice: "auto" });
    return { call: answer.choices[0].message.tool_calls[0].function };
  },
  async tools_streamed() {
    const runner = client.chat.completions.stream({ model: "gpt-4", messages, tools, tool_choice: "auto" });
    const message = await runner.finalMessage();
    return { call: message.tool_calls[0].function };
  },
  async completion() {
    const answer = await client.completions.create({ model: "gpt-text", prompt: "hello" });
    return { text: answer.choices[0].text, finish: answer.choices[0].finish_reason, total: answer.usage.total_tokens };
  },
  async completion_streamed() {
    let text = "";
    let finish = null;
    for await (const chunk of await client.completions.create({ model: "gpt-text", prompt: "hello", stream: true })) {
      text += chunk.choices[0].text;
      finish = chunk.choices[0].finish_reason ?? finish;
    }
    return { text, finish };
  },
  async embeddings() {
    const answer = await client.embeddings.create({ model: "text-embedding-3-small", input: ["a", "b"], encoding_format: "float" });
    return { vectors: answer.data.map((one) => one.embedding) };
  },
  async models() {
    const names = [];
    for await (const model of client.models.list()) names.push(model.id);
    return { names };
  },
  async model() {
    return { id: (await client.models.retrieve("gpt-4")).id };
  },
  async responses() {
    const answer = await client.responses.create({ model: "gpt-4", input: "hello" });
    return { text: answer.output_text };
  },
  async abort() {
    const stream = await client.chat.completions.create({ model: "gpt-slow", messages, stream: true });
    for await (const _ of stream) {
      stream.controller.abort();
      break;
    }
    return {};
  },
  async retries() {
    // The first answer is an error the client retries; the second is good.
    const answer = await client.chat.completions.create({ model: "gpt-flaky", messages }, { maxRetries: 2 });
    return { text: answer.choices[0].message.content };
  },
  async wrong_key() {
    try {
      await new OpenAI({ baseURL, apiKey: "nobody", maxRetries: 0 }).chat.completions.create({ model: "gpt-4", messages });
    } catch (error) {
      return { kind: error.constructor.name, status: error.status, code: error.code, request: typeof error.requestID };
    }
    return {};
  },
};

for (const name of process.argv.slice(4)) {
  let result;
  try {
    result = await cases[name]();
  } catch (error) {
    result = { error: `${error.constructor.name}: ${error.message}` };
  }
  console.log(JSON.stringify({ case: name, ...result }));
}
