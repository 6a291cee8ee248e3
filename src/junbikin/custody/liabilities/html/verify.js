"use strict";
// Verifies a proof as docs/proof-of-liabilities.md writes it down: the same checks, in the same order, as `junbikin verify-proof`.

const LIMIT = 1n << 127n, DECIMALS = 18;
const say = (en, ja) => ({ en, ja });
const utf8 = (text) => new TextEncoder().encode(text);
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const whole = (units, bytes) => Uint8Array.from({ length: bytes }, (_, i) => Number((units >> BigInt(8 * (bytes - 1 - i))) & 255n));
const joined = (...parts) => {
  const all = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  parts.reduce((at, part) => (all.set(part, at), at + part.length), 0);
  return all;
};
const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

// Canonical JSON (RFC 8785) of what a proof may hold: texts, whole numbers, true, false, null, lists and objects.
const canonical = (value) => {
  if (Array.isArray(value)) return "[" + value.map(canonical).join(",") + "]";
  if (value && typeof value === "object")
    return "{" + Object.keys(value).sort().map((key) => JSON.stringify(key) + ":" + canonical(value[key])).join(",") + "}";
  return JSON.stringify(value);
};

// What a file must look like. Anything else is no proof.
class Malformed extends Error {}
const must = (sound, what) => { if (!sound) throw new Malformed(what); };
const keys = (value, ...names) => must(value && typeof value === "object" && !Array.isArray(value)
  && canonical(Object.keys(value).sort()) === canonical(names.sort()), "other fields than " + names.join(", "));
const text = (value) => { must(typeof value === "string" && value && value.isWellFormed?.() !== false, "a text is missing"); return value; };
const bytes = (value, size) => {
  must(typeof value === "string" && new RegExp(`^[0-9a-f]{${2 * size}}$`).test(value), `not ${size} bytes in hex`);
  return Uint8Array.from(value.match(/../g), (pair) => parseInt(pair, 16));
};
const units = (value) => {
  must(typeof value === "string" && value.length <= 60 && /^(0|[1-9][0-9]*)(\.[0-9]{0,17}[1-9])?$/.test(value), "not a plain amount");
  const [before, after = ""] = value.split(".");
  return BigInt(before + after.padEnd(DECIMALS, "0"));
};
const before = (one, other) => { // by code points, as UTF-8 has them in order; texts of a browser compare by halves of them
  const a = utf8(one), b = utf8(other), place = a.findIndex((byte, i) => byte !== b[i]);
  return place < 0 ? a.length < b.length : a[place] < b[place];
};
const count = (value) => { must(Number.isSafeInteger(value) && value > 0, "not a number of customers"); return value; };
const node = (item) => { keys(item, "digest", "amount", "count"); return { digest: bytes(item.digest, 32), sum: units(item.amount), count: count(item.count) }; };

const read = (file) => {
  keys(file, "format", "account", "balances", "statement");
  must(file.format === "junbikin-liability-proof-1", "another format");
  const said = file.statement;
  const partly = said?.left_out === undefined ? [] : ["left_out"];
  keys(said, "format", "operator", "invented", "as_of", "made_at", "decimals", "assets", "position", "checkpoint", "public_key", "signature", ...partly);
  must(said.format === "junbikin-liabilities-1" && said.decimals === DECIMALS, "another format");
  must(typeof said.invented === "boolean" && /^\d{4}-\d{2}-\d{2}$/.test(said.as_of) && /^[\d-]{10}T[\d:]{8}\.\d{6}Z$/.test(said.made_at), "not a statement");
  for (const digest of [said.position, said.checkpoint]) if (digest !== null) bytes(digest, 32);
  must(Array.isArray(said.assets) && Array.isArray(file.balances) && file.balances.length > 0, "not a list");
  if (said.left_out !== undefined) {
    keys(said.left_out, "rows", "why");
    count(said.left_out.rows);
    text(said.left_out.why);
  }
  const totals = new Map();
  for (const item of said.assets) {
    keys(item, "asset", "count", "total", "root");
    totals.set(text(item.asset), { digest: bytes(item.root, 32), sum: units(item.total), count: count(item.count) });
  }
  const order = said.assets.map((item) => item.asset);
  must(order.every((asset, i) => i === 0 || before(order[i - 1], asset)), "an asset is stated twice, or out of order");
  const balances = file.balances.map((item) => {
    keys(item, "asset", "amount", "nonce", "index", "path");
    must(Number.isSafeInteger(item.index) && item.index >= 0 && Array.isArray(item.path), "not a way up");
    return { asset: text(item.asset), amount: item.amount, units: units(item.amount), nonce: bytes(item.nonce, 16), index: item.index, path: item.path.map(node) };
  });
  return { account: text(file.account), operator: text(said.operator), said, totals, balances, key: bytes(said.public_key, 32), signature: bytes(said.signature, 64) };
};

// The steps from a leaf to the root: which siblings there are follows from its place and the number of leaves alone.
const wayUp = (index, leaves) => {
  const steps = [];
  for (let level = 0, last = leaves - 1; last > 0; level++, index = Math.floor(index / 2), last = Math.floor(last / 2)) {
    const sibling = index % 2 ? index - 1 : index + 1, under = 2 ** level;
    if (sibling <= last) steps.push({ left: sibling < index, count: Math.min(under, leaves - sibling * under) });
  }
  return steps;
};
const bound = (node) => joined(node.digest, whole(node.sum, 16), whole(BigInt(node.count), 8));
const join = async (left, right) => ({
  digest: await sha256(joined(Uint8Array.of(1), bound(left), bound(right))), sum: left.sum + right.sum, count: left.count + right.count,
});

const BEYOND = say("a sum is beyond the limit", "合計が上限を超えています");
const astray = async (proof, balance, root) => {
  if (balance.index >= root.count) return say("the leaf's place is beyond the last", "葉の位置が総数を超えています");
  const steps = wayUp(balance.index, root.count);
  if (steps.length !== balance.path.length || steps.some((step, i) => step.count !== balance.path[i].count))
    return say("the way up is not that of a tree with as many customers as stated: a part was cut off or added",
      "証明経路が記載された利用者数の木と一致しません。一部が切り取られたか、加えられています");
  if (balance.units === 0n || balance.path.some((node) => node.sum < BigInt(node.count)))
    return say("a customer is counted who is owed nothing: every leaf holds at least one unit",
      "残高のない利用者が数えられています。すべての葉は1単位以上でなければなりません");
  if (balance.units >= LIMIT || balance.path.some((node) => node.sum >= LIMIT)) return BEYOND;
  const within = await sha256(utf8(canonical({ format: proof.said.format, operator: proof.operator, as_of: proof.said.as_of, asset: balance.asset })));
  const leaf = joined(Uint8Array.of(0), within, balance.nonce, whole(balance.units, 16), utf8(proof.account));
  let at = { digest: await sha256(leaf), sum: balance.units, count: 1 };
  for (const [i, step] of steps.entries()) {
    at = step.left ? await join(balance.path[i], at) : await join(at, balance.path[i]);
    if (at.sum >= LIMIT) return BEYOND;
  }
  if (hex(at.digest) !== hex(root.digest) || at.sum !== root.sum || at.count !== root.count)
    return say("the way up does not lead to the root and the total of the statement", "証明経路が証明書の根と合計に一致しません");
  return null;
};

// true, false, or null when this browser cannot check such a signature.
const signed = async (proof) => {
  const { signature, ...content } = proof.said;
  let key;
  try {
    key = await crypto.subtle.importKey("raw", proof.key, { name: "Ed25519" }, false, ["verify"]);
  } catch (problem) {
    return problem.name === "NotSupportedError" ? null : false;
  }
  return crypto.subtle.verify({ name: "Ed25519" }, key, proof.signature, utf8(canonical(content)));
};

const verify = async (file) => {
  const proof = read(file);
  const marks = { proof, statement: hex(await sha256(utf8(canonical(proof.said)))), signer: hex(await sha256(proof.key)), signature: await signed(proof) };
  const fail = (why) => ({ ...marks, why });
  if (marks.signature === false) return fail(say("the statement's signature does not fit: it was altered, or never signed", "証明書の署名が一致しません。改変されたか、署名されていません"));
  if (new Set(proof.balances.map((balance) => balance.asset)).size !== proof.balances.length) return fail(say("an asset is shown twice", "同じ資産が二度示されています"));
  for (const balance of proof.balances) {
    const root = proof.totals.get(balance.asset);
    const why = root ? await astray(proof, balance, root) : say("the statement has no such asset", "証明書にありません");
    if (why) return fail(say(`${balance.asset}: ${why.en}`, `${balance.asset}：${why.ja}`));
  }
  return { ...marks, why: null };
};

// What is shown. Whatever a file says goes onto the page as text, never as markup.
const element = (name, ...inside) => { const made = document.createElement(name); made.append(...inside); return made; };
const both = (words) => ["en", "ja"].map((lang) => { const span = element("span", words[lang]); span.lang = lang; return span; });
const grouped = (amount) => amount.replace(/^\d+/, (digits) => digits.replace(/\B(?=(\d{3})+$)/g, ","));

const table = (found) => {
  const titles = [say("asset", "資産"), say("owed to you", "あなたの残高"), say("owed to all", "全利用者の合計"), say("customers", "利用者数"), say("hashes climbed", "たどった段数")];
  const row = (balance) => {
    const stated = found.proof.said.assets.find((item) => item.asset === balance.asset);
    const cells = [balance.asset, grouped(balance.amount), grouped(stated.total), grouped(String(stated.count)), String(balance.path.length)];
    return element("tr", ...cells.map((cell, i) => { const td = element("td", cell); td.className = i ? "num" : ""; return td; }));
  };
  const head = element("tr", ...titles.map((title, i) => { const th = element("th", ...both(title)); th.className = i ? "num" : ""; return th; }));
  const wide = element("div", element("table", element("thead", head), element("tbody", ...found.proof.balances.map(row))));
  wide.className = "wide";
  return wide;
};

const marks = (found) => {
  const said = found.proof.said;
  const lines = [
    [say("account", "口座"), found.proof.account], [say("exchange, day", "取引所、基準日"), `${found.proof.operator}, ${said.as_of}`],
    [say("digest of the statement (SHA-256): compare it with the published one", "証明書のダイジェスト（SHA-256）：公表されたものと比べてください"), found.statement],
    [say("fingerprint of the signing key: compare it with the published one", "署名鍵の指紋：公表されたものと比べてください"), found.signer],
  ];
  return element("dl", ...lines.flatMap(([title, value]) => [element("dt", ...both(title)), element("dd", element("code", value))]));
};

const faces = (found) => {
  const said = found.proof.said, shown = [];
  if (found.signature === null)
    shown.push(say("This browser cannot check the signature (Ed25519). Use a current browser, or: junbikin verify-proof FILE",
      "このブラウザーは署名（Ed25519）を検証できません。新しいブラウザーか junbikin verify-proof FILE を使ってください"));
  if (said.invented) shown.push(say("An invented example", "架空の例"));
  if (said.left_out)
    shown.push(say(`${grouped(String(said.left_out.rows))} ${said.left_out.rows === 1 ? "row" : "rows"} of customer balances could not be read or were in dispute, and are not in this proof: ${said.left_out.why}`,
      `利用者残高のうち${grouped(String(said.left_out.rows))}行は取込時に拒否され、この証明に含まれていない：${said.left_out.why}`));
  if (said.position === null) shown.push(say("Not tied to a reconciled position", "照合済みの残高と結び付けられていない"));
  if (said.checkpoint === null) shown.push(say("Without a checkpoint: there were no books", "帳簿がないため検証点はない"));
  return shown.map((words) => { const p = element("p", ...both(words)); p.className = "face"; return p; });
};

const show = (state, verdict, why, details = []) => {
  const result = document.getElementById("result");
  result.hidden = false;
  result.className = state;
  document.getElementById("verdict").replaceChildren(...both(verdict));
  document.getElementById("why").replaceChildren(...(why ? both(why) : []));
  document.getElementById("details").replaceChildren(...details);
};

const FAILS = say("The proof does not hold", "証明は成り立ちません");
const judge = async (content) => {
  if (!globalThis.crypto?.subtle)
    return show("fails", say("This browser cannot verify", "このブラウザーでは検証できません"), say("Open the page in a current browser, or run: junbikin verify-proof FILE", "新しいブラウザーで開くか、junbikin verify-proof FILE を実行してください"));
  try {
    const found = await verify(JSON.parse(content));
    if (found.why) return show("fails", FAILS, found.why, [marks(found)]);
    if (found.signature === null)
      return show("", say("The sums hold; the signature was not checked", "合計は成り立ちますが、署名は検証されていません"), null, [...faces(found), table(found), marks(found)]);
    return show("holds", say("You are counted", "あなたの残高は含まれています"), null, [...faces(found), table(found), marks(found)]);
  } catch (problem) {
    if (!(problem instanceof Malformed || problem instanceof SyntaxError)) throw problem;
    return show("fails", say("This is no proof", "証明ファイルではありません"), say(`Use the file as it was handed out (${problem.message}).`, `受け取ったままのファイルを使ってください（${problem.message}）。`));
  }
};

for (const lang of ["en", "ja"]) {
  const choice = document.getElementById(lang);
  choice.checked = document.documentElement.lang === lang;
  choice.addEventListener("change", () => { document.documentElement.lang = lang; });
}
const take = async (file) => { if (file) await judge(await file.text()); };
document.getElementById("file").addEventListener("click", (event) => { event.target.value = ""; }); // the same file may be chosen again
document.getElementById("file").addEventListener("change", (event) => take(event.target.files[0]));
const drop = document.getElementById("drop");
addEventListener("dragover", (event) => { event.preventDefault(); drop.className = "over"; });
addEventListener("dragleave", () => { drop.className = ""; });
addEventListener("drop", (event) => { event.preventDefault(); drop.className = ""; take(event.dataTransfer.files[0]); });
const inside = document.getElementById("proof").textContent;
if (inside !== "null") judge(inside);
