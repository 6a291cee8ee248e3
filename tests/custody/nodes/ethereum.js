'use strict';
// A real Ethereum node (Hardhat's), on a port of the system's choice. Ends when its standard input does.
const path = require('path');
process.env.HARDHAT_CONFIG = path.join(__dirname, 'hardhat.config.js');
process.env.HARDHAT_DISABLE_TELEMETRY_PROMPT = 'true';

async function main() {
  const {network} = require('hardhat');
  const {JsonRpcServer} = require('hardhat/internal/hardhat-network/jsonrpc/server');
  const server = new JsonRpcServer({hostname: '127.0.0.1', port: 0, provider: network.provider});
  const {port} = await server.listen();
  console.log(JSON.stringify({port}));
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(0));
}

main().catch((problem) => {
  console.error(problem);
  process.exit(1);
});
