// The editor: CodeMirror, in a shadow root, where its styles need no leave of the page's policy

import {
  defaultKeymap,
  history,
  historyKeymap,
  indentLess,
  indentMore,
} from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import {
  bracketMatching,
  HighlightStyle,
  indentOnInput,
  indentUnit,
  syntaxHighlighting,
} from "@codemirror/language";
import { EditorState, StateEffect, StateField } from "@codemirror/state";
import {
  Decoration,
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";

const mark = StateEffect.define();
/** The line that failed, until the program is changed. */
const failed = StateField.define({
  create: () => Decoration.none,
  update(marks, transaction) {
    let found = transaction.docChanged ? Decoration.none : marks;
    for (const effect of transaction.effects)
      if (effect.is(mark)) {
        const { doc } = transaction.state;
        const line = effect.value;
        found =
          line >= 1 && line <= doc.lines
            ? Decoration.set([Decoration.line({ class: "failed" }).range(doc.line(line).from)])
            : Decoration.none;
      }
    return found;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const colours = HighlightStyle.define([
  {
    tag: [tags.keyword, tags.operatorKeyword, tags.controlKeyword, tags.moduleKeyword],
    color: "var(--word)",
  },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--number)" },
  { tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
]);

const theme = EditorView.theme({
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "var(--pane)", fontSize: "13.5px" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55" },
  ".cm-content": { padding: "10px 0", caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": {
    backgroundColor: "var(--pane)",
    color: "var(--soft)",
    border: "none",
    paddingLeft: "4px",
  },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
  ".cm-selectionBackground, &.cm-focused .cm-selectionBackground": {
    background: "var(--chosen) !important",
  },
  ".cm-matchingBracket": { backgroundColor: "var(--chosen)" },
  ".cm-line.failed": {
    backgroundColor: "var(--alarm-wash)",
    boxShadow: "inset 3px 0 var(--alarm)",
  },
});

/** Return the editor in an element; `run` is called on Ctrl-Enter, `changed` after a change. */
export function makeEditor(place, program, { run, changed }) {
  const root = place.attachShadow({ mode: "open" });
  const runs = () => {
    run();
    return true; // the key is used up
  };
  const view = new EditorView({
    parent: root,
    root,
    state: EditorState.create({
      doc: program,
      extensions: [
        lineNumbers(),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        highlightActiveLine(),
        highlightActiveLineGutter(),
        indentUnit.of("    "),
        EditorView.lineWrapping,
        python(),
        failed,
        syntaxHighlighting(colours),
        theme,
        EditorView.contentAttributes.of({ "aria-label": "Program", tabindex: "0" }),
        keymap.of([
          { key: "Mod-Enter", run: runs },
          { key: "Shift-Enter", run: runs },
          // Tab indents; Escape gives it back to the browser, for those who go on by keyboard.
          { key: "Tab", run: indentMore, shift: indentLess },
          ...defaultKeymap,
          ...historyKeymap,
        ]),
        EditorView.updateListener.of((update) => update.docChanged && changed()),
      ],
    }),
  });
  return {
    get program() {
      return view.state.doc.toString();
    },
    set program(text) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
      view.scrollDOM.scrollTop = 0;
    },
    /** Mark the line that failed; null for none. */
    mark: (line) => view.dispatch({ effects: mark.of(line) }),
    /** Go to a line. */
    go(line) {
      const { from } = view.state.doc.line(Math.min(line, view.state.doc.lines));
      view.dispatch({
        selection: { anchor: from },
        effects: EditorView.scrollIntoView(from, { y: "center" }),
      });
      view.focus();
    },
    focus: () => view.focus(),
  };
}
