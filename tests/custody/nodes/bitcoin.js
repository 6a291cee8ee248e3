'use strict';
// Two real Bitcoin nodes (bcoin, regtest, in memory), `a` and `b`. bcoin answers neither Esplora's requests nor Bitcoin Core's
// `scantxoutset` and `getblock … 3`: both are put in front of the real nodes here, answered from their chain and their indexes.
// Ends when its standard input does.
process.env.NODE_BACKEND = 'js';
const http = require('http');
const {FullNode, Network, KeyRing, MTX, Address, Amount} = require('bcoin/lib/bcoin');

// bcoin has address prefixes of its own in regtest; everyone else has those of Bitcoin Core.
const network = Network.get('regtest');
Object.assign(network.addressPrefix, {pubkeyhash: 0x6f, scripthash: 0xc4, bech32: 'bcrt'});

const key = (number) => KeyRing.fromPrivate(Buffer.from(number.toString(16).padStart(64, '0'), 'hex'), true);
const hex = (buffer) => Buffer.from(buffer).reverse().toString('hex');
const raw = (text) => Buffer.from(text, 'hex').reverse().toString('hex');
const nodes = {};

async function start(name, port) {
  const node = new FullNode({network: 'regtest', memory: true, port, listen: false, noDns: true, 'http-port': port + 1,
    httpPort: port + 1, apiKey: 'x', indexTX: true, indexAddress: true, logConsole: false});
  await node.chain.open();
  await node.mempool.open();
  await node.miner.open();
  nodes[name] = node;
}

async function mine({node, count = 1, to = null, time = null}) {
  const {chain, miner} = nodes[node];
  const address = to ? Address.fromString(to, network) : key(1).getAddress();
  for (let i = 0; i < count; i++) {
    const job = await miner.createJob(chain.tip, address);
    if (time) job.attempt.time = Math.max(time, chain.tip.time + 1);
    await chain.add(await miner.cpu.mineAsync(job));
  }
  return {height: chain.height, hash: chain.tip.rhash()};
}

async function pay({node, from = 1, to, value}) {
  const ring = key(from);
  const {chain, mempool} = nodes[node];
  const all = (await chain.db.getCoinsByAddress([ring.getAddress()])).filter((coin) => coin.script.isPubkeyhash());
  const coins = all.filter((coin) => !coin.coinbase || chain.height - coin.height >= 100).slice(0, 50);
  const transaction = new MTX();
  transaction.addOutput(Address.fromString(to, network), Number(value));
  await transaction.fund(coins, {rate: 10000, changeAddress: ring.getAddress()});
  transaction.sign(ring);
  await mempool.addTX(transaction.toTX());
  return {...await mine({node}), fee: String(transaction.getFee())};
}

// Gives `b` the chain of `a` up to a height, and takes away whatever else it has.
async function feed({height}) {
  let shared = Math.min(height, nodes.a.chain.height, nodes.b.chain.height);
  while ((await nodes.a.chain.getEntry(shared)).rhash() !== (await nodes.b.chain.getEntry(shared)).rhash()) shared--;
  await nodes.b.chain.reset(shared);
  for (let next = shared + 1; next <= height; next++)
    await nodes.b.chain.add(await nodes.a.chain.getBlock(next));
  return {height: nodes.b.chain.height};
}

// The blocks from a height on leave the chain; as many others, and one more, take their place.
async function reorganise({node, height}) {
  const {chain} = nodes[node];
  const count = chain.height - height + 2;
  const entry = await chain.getEntry(height);
  await chain.invalidate(entry.hash);
  await chain.reset(height - 1);
  return mine({node, count});
}

const controls = {mine, pay, feed, reorganise};

const paid = (output) => {
  const address = output.script.getAddress();
  return {scriptpubkey: output.script.toRaw().toString('hex'), value: output.value,
    ...(address ? {scriptpubkey_address: address.toString(network)} : {})};
};

async function transactions(node, address) {
  const metas = await node.chain.db.getMetaByAddress([Address.fromString(address, network)]);
  metas.sort((one, other) => other.height - one.height || other.index - one.index);
  const all = await Promise.all(metas.map(async (meta) => {
    const view = await node.chain.getSpentView(meta.tx);
    return {txid: meta.tx.txid(), status: {confirmed: true, block_height: meta.height, block_hash: hex(Buffer.from(meta.block, 'hex'))},
      vin: meta.tx.inputs.map((input) => ({is_coinbase: meta.tx.isCoinbase(),
        prevout: meta.tx.isCoinbase() ? null : paid(view.getOutputFor(input))})),
      vout: meta.tx.outputs.map(paid)};
  }));
  // bcoin's index is by key hash: an address of another form of the same key is another address.
  return all.filter((one) => [...one.vout, ...one.vin.map((input) => input.prevout)].some((output) => output && output.scriptpubkey_address === address));
}

const sum = (outputs, address) => outputs.filter((output) => output && output.scriptpubkey_address === address)
  .reduce((total, output) => total + output.value, 0);

async function esplora(node, path) {
  const {chain} = node;
  let found;
  if (path === '/blocks/tip/hash') return chain.tip.rhash();
  if ((found = path.match(/^\/block-height\/(\d+)$/))) {
    const entry = await chain.getEntry(Number(found[1]));
    return entry ? entry.rhash() : undefined;
  }
  if ((found = path.match(/^\/block\/([0-9a-f]{64})$/))) {
    const entry = await chain.getEntry(raw(found[1]));
    return entry ? {id: entry.rhash(), height: entry.height, timestamp: entry.time} : undefined;
  }
  if ((found = path.match(/^\/address\/(\w+)$/))) {
    const all = await transactions(node, found[1]);
    return {address: found[1], chain_stats: {tx_count: all.length,
      funded_txo_sum: all.reduce((total, one) => total + sum(one.vout, found[1]), 0),
      spent_txo_sum: all.reduce((total, one) => total + sum(one.vin.map((input) => input.prevout), found[1]), 0)}};
  }
  if ((found = path.match(/^\/address\/(\w+)\/txs\/chain(?:\/([0-9a-f]{64}))?$/))) {
    const all = await transactions(node, found[1]);
    const from = found[2] ? all.findIndex((one) => one.txid === found[2]) + 1 : 0;
    return all.slice(from, from + 25);
  }
  return undefined;
}

const coreOutput = (output) => ({value: new Amount(output.value).toBTC(true), scriptPubKey: {hex: output.script.toRaw().toString('hex')}});

const core = {
  getblockchaininfo: async ({chain}) => ({chain: 'regtest', blocks: chain.height, bestblockhash: chain.tip.rhash(), initialblockdownload: false}),
  getblockhash: async ({chain}, height) => {
    const entry = await chain.getEntry(height);
    if (!entry) throw Object.assign(new Error('Block height out of range'), {code: -8});
    return entry.rhash();
  },
  getblockheader: async ({chain}, digest) => {
    const entry = await chain.getEntry(raw(digest));
    if (!entry) throw Object.assign(new Error('Block not found'), {code: -5});
    return {hash: entry.rhash(), height: entry.height, time: entry.time,
      confirmations: await chain.isMainChain(entry) ? chain.height - entry.height + 1 : -1};
  },
  scantxoutset: async ({chain}, action, descriptors) => {
    const unspents = [];
    for (const descriptor of descriptors) {
      const address = Address.fromString(descriptor.match(/^addr\((\w+)\)$/)[1], network);
      const coins = await chain.db.getCoinsByAddress([address]);
      for (const coin of coins.filter((one) => one.script.getAddress().toString(network) === address.toString(network)))
        unspents.push({txid: coin.txid(), vout: coin.index, scriptPubKey: coin.script.toRaw().toString('hex'),
          amount: new Amount(coin.value).toBTC(true), height: coin.height});
    }
    return {success: true, height: chain.height, bestblock: chain.tip.rhash(), unspents};
  },
  getblock: async ({chain}, digest, verbosity) => {
    if (verbosity !== 3) throw Object.assign(new Error('only 3 here'), {code: -8});
    const entry = await chain.getEntry(raw(digest));
    const block = await chain.getBlock(entry.hash);
    const view = await chain.getBlockView(block);
    return {hash: digest, height: entry.height, previousblockhash: hex(Buffer.from(entry.prevBlock, 'hex')),
      tx: block.txs.map((tx) => ({txid: tx.txid(), vout: tx.outputs.map(coreOutput),
        vin: tx.inputs.map((input) => tx.isCoinbase() ? {coinbase: ''} : {prevout: coreOutput(view.getOutputFor(input))})}))};
  },
};

async function rpc(node, {id, method, params}) {
  try {
    if (!core[method]) throw Object.assign(new Error('Method not found'), {code: -32601});
    return [200, {result: await core[method](node, ...params), error: null, id}];
  } catch (problem) {
    return [500, {result: null, error: {code: problem.code || -1, message: problem.message}, id}];
  }
}

async function answered(request, body) {
  const [, name, api, path] = request.url.match(/^\/(\w+)\/(\w+)(\/.*)?$/) || [];
  if (name === 'control') return [200, await controls[api](JSON.parse(body))];
  if (api === 'core') return rpc(nodes[name], JSON.parse(body));
  const found = await esplora(nodes[name], path || '');
  return found === undefined ? [404, 'Block not found'] : [200, found];
}

async function main() {
  await start('a', 48444);
  await start('b', 48544);
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => answered(request, Buffer.concat(parts).toString()).then(([status, content]) => {
      response.writeHead(status, {'content-type': typeof content === 'string' ? 'text/plain' : 'application/json'});
      response.end(typeof content === 'string' ? content : JSON.stringify(content));
    }, (problem) => {
      response.writeHead(500);
      response.end(String(problem.stack));
    }));
  });
  server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({port: server.address().port})));
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(0));
}

main().catch((problem) => {
  console.error(problem);
  process.exit(1);
});
