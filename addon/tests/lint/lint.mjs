// Parses each PHP file below the folder in the first argument with PHP 7.4 and PHP 8.3.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadPHPRuntime, PHP } from '@php-wasm/universal';

const PARSE = `<?php
try { token_get_all(file_get_contents('/checked.php'), TOKEN_PARSE); }
catch (ParseError $error) { echo $error->getMessage(), ' on line ', $error->getLine(); }`;

const folder = process.argv[2];
const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.php'));
let mistakes = files.length === 0 ? 1 : 0;
for (const build of ['7-4', '8-3']) {
  const { getPHPLoaderModule } = await import(`@php-wasm/node-${build}`);
  const php = new PHP(await loadPHPRuntime(await getPHPLoaderModule(), { processId: 1 }));
  const version = (await php.run({ code: '<?php echo PHP_VERSION;' })).text;
  for (const file of files) {
    php.writeFile('/checked.php', readFileSync(join(folder, file)));
    const said = (await php.run({ code: PARSE })).text;
    if (said !== '') {
      mistakes += 1;
      console.error(`PHP ${version}: ${join(folder, file)}: ${said}`);
    }
  }
  console.log(`parsed by PHP ${version}: ${files.length} files`);
}
process.exit(mistakes === 0 ? 0 : 1);
