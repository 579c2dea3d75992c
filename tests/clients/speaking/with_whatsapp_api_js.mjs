// A desk built on whatsapp-api-js. It writes to one fixed host, so its fetch leads here. Prints what it saw as JSON.
import { createServer } from "node:http";
import { WhatsAppAPI } from "whatsapp-api-js";
import { ActionButtons, Body, Button, Image, Interactive, Language, Reaction, Template, Text, BodyComponent,
         BodyParameter } from "whatsapp-api-js/messages";

const asked = JSON.parse(process.env.ASKED);
const sent = {}, errors = {}, told = [];
let heard, arrived = () => {}, news = () => {};
const within = setTimeout(() => { console.error("nothing came in time"); process.exit(1); }, 25_000);

const Whatsapp = new WhatsAppAPI({
    token: asked.key, appSecret: asked.secret, webhookVerifyToken: asked.verify_token, v: "v23.0",
    ponyfill: { fetch: (url, options) => fetch(url.replace("https://graph.facebook.com", asked.base_url), options) },
});
Whatsapp.on.message = (event) => { heard = event; arrived(); };
Whatsapp.on.status = ({ id, status, biz_opaque_callback_data }) => {
    told.push({ id, status, tracker: biz_opaque_callback_data ?? null });
    news();
};

const hook = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    try {
        await Whatsapp.post(JSON.parse(body), body, request.headers["x-hub-signature-256"]);
        response.writeHead(200).end();
    } catch (error) {
        console.error(String(error));
        response.writeHead(error.httpStatus ?? 500).end();
    }
});

function note(what, answer) {
    if ("error" in answer) errors[what] = answer.error.code;
    else sent[what] = answer.messages?.[0].id ?? String(answer.success);
}

await new Promise((resolve) => hook.listen(asked.port, "127.0.0.1", resolve));
const message = new Promise((resolve) => { arrived = resolve; });
console.log("ready");
await message;
const { phoneID, from, user } = { ...heard, user: heard.raw.entry[0].changes[0].value.contacts[0].user_id };
const send = (to, content, ...more) => Whatsapp.sendMessage(phoneID, to, content, ...more);
note("text", await send({ phone: from, bsuid: user }, new Text("It is on its way."), undefined, "ticket-7"));
note("image", await send(from, new Image("https://shop.example/parcel.jpg", false, "Your parcel")));
note("template", await send(from, new Template(asked.template, new Language("en_US"),
    new BodyComponent(new BodyParameter("4711")))));
note("buttons", await send(from, new Interactive(
    new ActionButtons(new Button("yes", "Yes"), new Button("no", "No")), new Body("Did it arrive?"))));
note("reaction", await send(from, new Reaction(heard.message.id, "👍")));
note("read", await Whatsapp.markAsRead(phoneID, heard.message.id));
note("closed", await send(asked.stranger, new Text("Hello, stranger")));
const isThere = () => ["sent", "delivered"].every((word) =>
    told.some(({ id, status }) => id === sent.text && status === word));
while (!isThere()) await new Promise((resolve) => { news = resolve; });
clearTimeout(within);
console.log(JSON.stringify({
    heard: { text: heard.message.text.body, from, user_id: user, id: heard.message.id }, sent, errors,
    templates: null, told,
}));
process.exit(0);
