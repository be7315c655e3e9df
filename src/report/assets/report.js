// report.js - the report: figures with their shared controls.
'use strict';
(() => {
  const { h, format, symbols, shown, mixed, colours, theme, themeButton, save, Panel } = window.glidepath;
  const data = JSON.parse(document.getElementById('data').textContent);
  const state = { hidden: new Set(), budget: null };
  const subjects = new Map(data.subjects.map((subject) => [subject.name, subject]));
  const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');

  function baseColour(subject) {
    if (subject === 'envelope') return '#009E73';
    return subjects.has(subject) ? subjects.get(subject).colour : '#000000';
  }

  // Lines of one subject at several budgets in one panel: the smaller the budget, the paler.
  function shade(line, spec) {
    const budgets = [...new Set(spec.series.filter((other) => other.subject === line.subject && other.budget !== null).map((other) => other.budget))];
    if (line.budget === null || budgets.length < 2) return 1;
    budgets.sort((a, b) => a - b);
    return 0.35 + (0.65 * budgets.indexOf(line.budget)) / (budgets.length - 1);
  }

  function look(line, panel) {
    const subject = subjects.get(line.subject) || { place: 0, round: 0 };
    const share = shade(line, panel.spec);
    const colour = mixed(shown(baseColour(line.subject), theme()), colours(theme()).card, share);
    const faded = state.budget !== null && line.budget !== null && line.budget !== undefined && line.budget !== state.budget;
    return {
      colour, paper: mixed(baseColour(line.subject), '#ffffff', share),
      symbol: symbols[(subject.place + subject.round) % symbols.length], open: line.reference,
      plain: line.subject === 'lr' || line.subject === 'envelope' || (line.style === 'dotted' && !line.reference),
      dash: line.style !== 'solid' ? line.style : subject.round > 0 ? [8, 3, 2, 3] : 'solid',
      width: line.reference ? 1.4 : line.subject === 'linear' || line.subject === 'envelope' ? 3 : 1.8,
      opacity: faded ? 0.12 : 1, hidden: state.hidden.has(line.subject), front: line.subject === 'linear',
    };
  }

  const marker = (panel) => (panel.spec.x_is_budget && state.budget !== null ? state.budget : undefined);

  function drawFigures() {
    const place = document.getElementById('figure-list');
    for (const figure of data.figures) {
      // Four of the paper's small panels are two rows of two here, so that each row still is whole.
      const columns = Math.min(figure.columns > 3 ? 2 : figure.columns, figure.panels.length);
      const list = h('div', { class: 'panels', 'data-columns': String(columns) });
      const id = `figure-${slug(figure.id)}`;
      place.append(h('article', { class: 'card figure', id, 'aria-labelledby': `${id}-title` },
        h('h3', { id: `${id}-title` }, `${figure.id === 'forecast' ? '' : `Figure ${figure.id}. `}${figure.title}`), h('p', { class: 'text' }, figure.text), list));
      figure.panels.forEach((spec, i) => {
        const panel = new Panel(spec, { name: `figure-${slug(figure.id)}-${i + 1}`, look, marker });
        list.append(panel.element);
        panel.draw();
      });
    }
  }

  function subjectControls() {
    const used = new Set(data.figures.flatMap((figure) => figure.panels.flatMap((panel) => panel.series.map((line) => line.subject))));
    const place = document.getElementById('subjects');
    const boxes = [];
    const set = () => {
      boxes.forEach(({ box, name }) => { if (box.checked) state.hidden.delete(name); else state.hidden.add(name); });
      Panel.drawAll();
    };
    for (const { name, colour } of data.subjects.filter((subject) => used.has(subject.name))) {
      const box = h('input', { type: 'checkbox', checked: true, onchange: set, value: name });
      boxes.push({ box, name });
      place.append(h('label', { class: 'chip', style: `--mark: ${colour === '#000000' ? 'var(--ink)' : colour}` }, box, h('span', {}, name)));
    }
    const all = (checked) => { boxes.forEach(({ box }) => { box.checked = checked; }); set(); };
    document.getElementById('all-subjects').addEventListener('click', () => all(true));
    document.getElementById('no-subjects').addEventListener('click', () => all(false));
    document.getElementById('subject-controls').hidden = boxes.length < 2;
  }

  function budgetControl() {
    const lines = data.figures.flatMap((figure) => figure.panels.flatMap((panel) => panel.series.map((line) => ({ line, panel }))));
    const budgets = [...new Set(lines.flatMap(({ line, panel }) => (panel.x_is_budget ? line.x : line.budget === null ? [] : [line.budget])))].sort((a, b) => a - b);
    const slider = document.getElementById('budget');
    const output = document.getElementById('budget-value');
    document.getElementById('budget-control').hidden = budgets.length < 2;
    slider.max = String(budgets.length);
    slider.value = '0';
    const show = () => {
      const place = Number(slider.value);
      state.budget = place === 0 ? null : budgets[place - 1];
      const text = state.budget === null ? 'all' : `${format(state.budget)} %`;
      output.textContent = text;
      slider.setAttribute('aria-valuetext', state.budget === null ? 'all budgets' : `${text} of the full budget`);
    };
    slider.addEventListener('input', () => { show(); Panel.drawAll(); });
    show();
  }

  themeButton(document.getElementById('theme'));
  for (const [id, name, key] of [['save-table', 'table.csv', 'table_csv'], ['save-results', 'results.csv', 'results_csv']]) {
    document.getElementById(id).addEventListener('click', () => save(`${data.name}-${name}`, data[key], 'text/csv;charset=utf-8'));
  }
  subjectControls();
  budgetControl();
  drawFigures();
  window.glidepath.runsExplorer(data, baseColour);
})();
