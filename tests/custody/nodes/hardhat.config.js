'use strict';
module.exports = {networks: {hardhat: {chainId: 31337, allowBlocksWithSameTimestamp: true}}};
