// A desk built on @great-detail/whatsapp. Prints what it saw as JSON.
import { createServer } from "node:http";
import Client from "@great-detail/whatsapp";

const asked = JSON.parse(process.env.ASKED);
const sent = {}, errors = {}, told = [];
let heard, arrived = () => {}, news = () => {};
const within = setTimeout(() => { console.error("nothing came in time"); process.exit(1); }, 25_000);

const sdk = new Client({
    prefixUrl: asked.base_url, graphVersion: "v23.0",
    request: { headers: { Authorization: `Bearer ${asked.key}` } },
});

const hook = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    const event = await sdk.webhook.eventNotification({ method: request.method, headers: request.headers, body, query: {} });
    if (!(await event.checkSignature(asked.secret))) return response.writeHead(401).end();
    const { value } = event.eventNotification.entry[0].changes[0];
    if (value.messages) { heard = value; arrived(); }
    for (const { id, status, biz_opaque_callback_data } of value.statuses ?? []) {
        told.push({ id, status, tracker: biz_opaque_callback_data ?? null });
        news();
    }
    response.writeHead(200).end();
});

const phoneNumberID = asked.phone_number_id;
async function note(what, call) {
    try {
        const answer = await (await call).json();
        sent[what] = answer.messages?.[0].id ?? String(answer.success);
    } catch (error) {
        errors[what] = (await error.response.json()).error.code;
    }
}

await new Promise((resolve) => hook.listen(asked.port, "127.0.0.1", resolve));
const message = new Promise((resolve) => { arrived = resolve; });
console.log("ready");
await message;
const [{ id, text }] = heard.messages, [{ wa_id: to, user_id }] = heard.contacts;
const send = (content) => sdk.message.createMessage({ phoneNumberID, to, ...content });
await note("text", send({ type: "text", text: { body: "It is on its way." }, biz_opaque_callback_data: "ticket-7" }));
await note("image", send({ type: "image", image: { link: "https://shop.example/parcel.jpg", caption: "Your parcel" } }));
await note("template", send({ type: "template", template: {
    name: asked.template, language: { code: "en_US" },
    components: [{ type: "body", parameters: [{ type: "text", text: "4711" }] }],
} }));
await note("buttons", send({ type: "interactive", interactive: {
    type: "button", body: { text: "Did it arrive?" },
    action: { buttons: ["yes", "no"].map((word) => ({ type: "reply", reply: { id: word, title: word } })) },
} }));
await note("reaction", send({ type: "reaction", reaction: { message_id: id, emoji: "👍" } }));
await note("read", sdk.message.createStatus({ phoneNumberID, message_id: id, status: "read" }));
await note("closed", send({ to: asked.stranger, type: "text", text: { body: "Hello, stranger" } }));
const { data } = await sdk.template.list(asked.account, { limit: 50 }).json();
const isThere = () => ["sent", "delivered"].every((word) =>
    told.some((one) => one.id === sent.text && one.status === word));
while (!isThere()) await new Promise((resolve) => { news = resolve; });
clearTimeout(within);
console.log(JSON.stringify({
    heard: { text: text.body, from: to, user_id, id }, sent, errors,
    templates: data.map(({ name, language }) => [name, language]), told,
}));
process.exit(0);
