// Runs yarn in a set-up: with npm's registry and through the proxy, which yarn does not find itself.
// Arguments: yarn's own.
const { execFileSync, spawnSync } = require('child_process');
const fs = require('fs');

const registry = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim();
const env = { ...process.env, YARN_REGISTRY: registry, YARN_HTTPS_PROXY: process.env.HTTPS_PROXY };
const settings = fs.existsSync('.yarnrc.yml') ? fs.readFileSync('.yarnrc.yml', 'utf8') : '';
if (!settings.includes('npmRegistryServer')) env.YARN_NPM_REGISTRY_SERVER = registry;

// An older lock names the host of every file. What a file holds is told by its checksum.
const file = /^( +resolved ")https?:\/\/\S*?\/((?:@[^/\s]+\/)?[^/\s@]+\/-\/)/gm;
if (fs.existsSync('yarn.lock')) {
  const base = registry.replace(/\/*$/, '/');
  const lock = fs.readFileSync('yarn.lock', 'utf8');
  fs.writeFileSync('yarn.lock', lock.replace(file, (_, start, path) => start + base + path));
}
const done = spawnSync('yarn', process.argv.slice(2), { env, stdio: 'inherit' });
process.exit(done.status ?? 1);
