// SPDX-License-Identifier: ISC
// mailauth as a peer for tests/lib/mailauth.py. Usage: node mailauth_peer.cjs FOLDER ZONE: FOLDER has mailauth's modules,
// ZONE lines "NAME<TAB>TXT". For each line of standard input, the name of a message's file, prints one of JSON:
//   {"dkim": [["ALGORITHM", "RESULT"], ...], "arc": "RESULT", "dmarc": "RESULT", "from": "DOMAIN"}
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { authenticate } = require(path.join(process.argv[2], 'node_modules', 'mailauth'));

const zone = new Map(fs.readFileSync(process.argv[3], 'utf8').split('\n').filter(line => line)
    .map(line => [line.split('\t')[0].toLowerCase(), line.split('\t')[1]]));

async function resolver(name, type) {
    const text = type === 'TXT' ? zone.get(name.toLowerCase()) : undefined;
    if (text === undefined) throw Object.assign(new Error(`${type} ${name} is not there`), { code: 'ENOTFOUND' });
    return [[text]];
}

async function main() {
    for await (const file of readline.createInterface({ input: process.stdin })) {
        const said = await authenticate(fs.readFileSync(file), {
            resolver, mta: 'mailauth.test', disableBimi: true, strict: true });
        console.log(JSON.stringify({
            dkim: said.dkim.results.map(one => [one.algo, one.status.result]),
            arc: said.arc && said.arc.status.result,
            dmarc: said.dmarc && said.dmarc.status.result,
            from: said.dmarc && said.dmarc.status.header.from }));
    }
}

main();
