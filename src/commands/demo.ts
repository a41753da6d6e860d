import { Command, Option } from 'commander';
import { terminalOf } from '../terminal.ts';
import { renderStory } from './demo/render.ts';
import { tellStory } from './demo/story.ts';

const examples = `
Examples:
  gravekeeper demo
  gravekeeper demo -o json

It needs no cluster and no root, and stops everything that it starts. Real zombies need Linux and tini.`;

/** The command `demo`: the whole story on one machine. */
export function demoCommand(): Command {
  return new Command('demo')
    .addOption(
      new Option('-o, --output <format>', 'how to print it').choices(['text', 'json']).default('text'),
    )
    .addHelpText('after', examples)
    .action(async ({ output }: { output: 'text' | 'json' }) => {
      const story = await tellStory();
      process.stdout.write(
        output === 'json'
          ? `${JSON.stringify(story, null, 2)}\n`
          : renderStory(story, terminalOf(process.stdout)),
      );
    });
}
