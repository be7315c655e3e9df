// watch.js - the live page: draws each snapshot that the server sends.
'use strict';
(() => {
  const { h, format, duration, symbols, shown, theme, themeButton, Panel } = window.glidepath;
  const byId = (id) => document.getElementById(id);
  let subjects = new Map();
  // A row of a union of grids names its optimizer after the schedule, as subjects of figures do before it.
  function subjectOf(row) {
    const [, schedule, optimizer] = row.match(/^(.*), optimizer (.*)$/) || [];
    if (!optimizer) return row;
    return schedule === 'const' ? optimizer : `${optimizer}, ${schedule}`;
  }
  const jobs = new Map(); // run id -> {element, bar, text, panel}
  let tables = [];

  const lookOf = (line) => {
    // A table of its own for each value of a further axis does not name it in its rows.
    const subject = subjects.get(line.subject) || [...subjects.values()].find((known) => known.name.startsWith(`${line.subject}, `)) || { colour: '#000000', place: 0, round: 0 };
    return {
      colour: shown(subject.colour, theme()), paper: subject.colour, symbol: symbols[(subject.place + subject.round) % symbols.length],
      plain: line.plain, dash: line.style, width: 2, opacity: line.subject === 'lr' ? 0.6 : 1, hidden: false,
    };
  };

  function lines(job) {
    const list = [];
    for (const { kind, columns, values } of job.curves) {
      for (const column of ['loss', 'lr']) {
        const at = columns.indexOf(column);
        if (at < 0 || (column === 'lr' && kind !== 'train')) continue;
        list.push({
          name: column === 'lr' ? 'learning rate' : kind === 'train' ? 'training loss' : 'test loss', subject: column === 'lr' ? 'lr' : job.subject,
          plain: kind === 'train', style: column === 'lr' ? 'dotted' : kind === 'train' ? 'solid' : 'dashed', right: column === 'lr', x: values[0], y: values[at], spread: [],
        });
      }
    }
    return list;
  }

  function showJob(job) {
    let view = jobs.get(job.id);
    if (!view) {
      const bar = h('i');
      const text = h('p', { class: 'small muted' });
      const meter = h('div', { class: 'meter', role: 'progressbar', 'aria-valuemin': '0', 'aria-valuemax': '100', 'aria-label': job.label }, bar);
      const panel = new Panel({ title: 'Loss and learning rate', x_label: 'updates', y_label: 'loss', right_label: 'learning rate', log_x: false, log_y: false, x_is_budget: false, series: [] }, { name: `run-${job.id}`, look: lookOf, legend: 'all' });
      view = { element: h('article', { class: 'job' }, h('h3', {}, job.label), text, meter, h('div', { class: 'panels' }, panel.element)), bar, meter, text, panel };
      jobs.set(job.id, view);
      byId('running').append(view.element);
    }
    const percent = Math.round(100 * job.progress);
    view.bar.style.width = `${percent}%`;
    view.meter.setAttribute('aria-valuenow', String(percent));
    const age = duration(job.seconds);
    view.text.textContent = job.abandoned ? `${percent} %, and no study works on it any more; glidepath study goes on with it` : `${percent} % in ${age}`;
    view.panel.spec.series = lines(job);
    view.panel.draw();
  }

  function showProgress(s) {
    const running = s.jobs.reduce((sum, job) => sum + job.progress, 0);
    const ended = s.done + s.diverged + s.failed;
    const percent = s.total === 0 ? 100 : Math.floor((100 * (ended + running)) / s.total);
    byId('meter').firstElementChild.style.width = `${percent}%`;
    byId('meter').setAttribute('aria-valuenow', String(percent));
    const left = s.over ? 'over' : s.seconds_left === null ? '–' : duration(s.seconds_left);
    const numbers = [['done', `${s.done} of ${s.total}`], ['running', s.running], ['time left', left], ['waiting', s.pending]];
    if (s.diverged > 0) numbers.push(['diverged', s.diverged]);
    if (s.failed > 0) numbers.push(['failed', s.failed]);
    byId('numbers').replaceChildren(...numbers.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, String(value)))));
    document.title = `${percent} % · ${s.title}`;
  }

  const score = (run) => (run.score !== null ? run.score.words : `loss ${format(run.loss)}`);
  const outcome = (run) => (run.score === null && run.loss === null ? run.status : `${score(run)} in ${duration(run.seconds)}`);
  const failure = (run) => h('li', {}, h('b', {}, run.label), ` ${run.error.startsWith(run.status) ? '' : `${run.status}: `}${run.error}`);
  const item = (run) => h('li', { class: run.status === 'done' ? '' : 'bad' }, h('b', {}, run.label), ` ${outcome(run)}`);

  // Mean score of each row against the columns, where these are shares of the full budget.
  function showTables(list, title) {
    const capital = title.replace(/^./, (letter) => letter.toUpperCase());
    const drawable = list.filter((table) => table.means.some((row) => row.some((mean) => mean !== null)) && table.columns.every((column) => /^[0-9.]+%$/.test(column)));
    if (tables.length !== drawable.length) {
      tables.forEach((panel) => panel.dispose());
      tables = drawable.map((table, i) => new Panel({ title: table.caption || `${capital} against budget`, x_label: 'budget (% of the full budget)', y_label: title + (table.is_share ? ' (%)' : ''), right_label: '', log_x: true, log_y: false, x_is_budget: true, series: [] }, { name: `so-far-${i + 1}`, look: lookOf, legend: 'all' }));
      byId('so-far').replaceChildren(h('div', { class: 'panels', 'data-columns': String(Math.min(2, tables.length)) }, ...tables.map((panel) => panel.element)));
    }
    drawable.forEach((table, i) => {
      const places = table.columns.map((column, at) => [parseFloat(column), at]).sort((a, b) => a[0] - b[0]);
      tables[i].spec.series = table.rows.map((row, r) => {
        const known = places.filter(([, at]) => table.means[r][at] !== null);
        return { name: row, subject: subjectOf(row), budget: null, style: 'solid', right: false, x: known.map(([x]) => x), y: known.map(([, at]) => table.means[r][at]), spread: known.map(([, at]) => table.spreads[r][at] ?? 0) };
      }).filter((line) => line.x.length > 0);
      tables[i].draw();
    });
    if (drawable.length === 0) {
      byId('so-far').replaceChildren(...list.map((table) => h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Means so far' }, h('table', {}, h('caption', {}, table.caption || `${capital}${table.is_share ? ' in percent' : ''}, mean so far`),
        h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, table.row_axis), ...table.columns.map((column) => h('th', { scope: 'col', class: 'number' }, column)))),
        h('tbody', {}, ...table.rows.map((row, r) => h('tr', {}, h('th', { scope: 'row' }, row), ...table.means[r].map((mean, c) => h('td', { class: 'number' }, mean === null && table.losses[r][c] !== null ? `loss ${format(table.losses[r][c])}` : format(mean))))))))));
    }
  }

  function show(s) {
    subjects = new Map(s.subjects.map((subject) => [subject.name, subject]));
    showProgress(s);
    const now = new Set(s.jobs.map((job) => job.id));
    for (const [id, view] of jobs) {
      if (now.has(id)) continue;
      view.panel.dispose();
      view.element.remove();
      jobs.delete(id);
    }
    s.jobs.forEach(showJob);
    byId('idle').hidden = s.jobs.length > 0;
    byId('failures-card').hidden = s.failures.length === 0;
    byId('failures').replaceChildren(...s.failures.map(failure));
    byId('latest').replaceChildren(...(s.latest.length > 0 ? s.latest.map(item) : [h('li', { class: 'muted' }, 'No run has ended yet.')]));
    showTables(s.tables, s.score);
    window.glidepath.snapshots = (window.glidepath.snapshots || 0) + 1;
  }

  const say = (text) => { if (byId('connection').textContent !== text) byId('connection').textContent = text; };
  themeButton(byId('theme'));
  const events = new EventSource('events');
  events.addEventListener('snapshot', (event) => {
    const snapshot = JSON.parse(event.data);
    say(snapshot.over ? 'The study is over.' : 'Live.');
    show(snapshot);
  });
  events.onerror = () => say('Not connected: glidepath watch has ended, or cannot be reached. Trying again …');
})();
