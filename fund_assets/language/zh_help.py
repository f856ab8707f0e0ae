"""The Chinese of `--help`: a paragraph of a command's or option's help → the same in Chinese.

Belongs here: what the commands' own help says, by whole paragraphs. Does not belong here: what
commands print when they run (`zh.py`); the words themselves, which stand at the commands.
"""

#: Headings and words that click adds.
_CLICK_HELP = {
    "Usage: ": "用法：",
    "Options": "选项",
    "Commands": "命令",
    "Show this message and exit.": "显示本说明后退出。",
    "default: {value}": "默认：{value}",
    "required": "必填",
}

HELP = {
    **_CLICK_HELP,
    "NAVs, returns and risk of Chinese public mutual funds, stored on this machine.": "中国公募基金的净值、收益与风险，都存放在本机。",
    "Every run is recorded in the project's Dagster instance: `make dev` shows it in the browser. "
    "Exit codes: 0 all is well, 1 a run failed or something is unhealthy, 2 wrong usage or settings.": "每次运行都记录在本项目的 Dagster 实例里：`make dev` 在浏览器里查看。退出码：0 一切正常，1 有运行失败或不健康，2 用法或设置不对。",
    "Settings are environment variables or lines of .env: see .env.example. Start with `fund-assets "
    "run`, then `fund-assets dashboard`.": "设置写在环境变量或 .env 的各行里：见 .env.example。先运行 `fund-assets run`，再看 `fund-assets dashboard`。",
    "Show the version and exit.": "显示版本后退出。",
    "Collect, validate, merge and compute metrics: the whole evening in one run.": "采集、校验、合并、计算：一次做完整个晚上的流程。",
    "Running it again is safe: known data changes nothing.": "可放心重复运行：已知的内容不会改变任何东西。",
    "Run Sunday's job now: old histories again, scores, walk-forward, upkeep, the report.": "现在做周日的工作：重取旧历史、评分、前瞻检验、维护、周报。",
    "It requests a quarter of the histories from the source, as the schedule does. Running it "
    "again in the same week is safe.": "与定时任务一样，向数据源请求四分之一的历史。同一周内可放心重复运行。",
    "Collect the market into the landing zone, where it waits for `validate`.": "把全市场采集到着陆区，等待 `validate`。",
    "Updates the list of funds, collects the newest two dates of the whole market (a wave), and "
    "fetches histories. --code also takes a code that is in no list: a history may still answer for a "
    "fund that has ended. --codes-from takes a list of a past year, so that the funds which ended "
    "since then are no longer missing.": "更新基金列表，取全市场最新两日的净值（一个波次），并取历史。--code 也接受不在任何名录中的代码：已终止的基金仍可能有历史可取。--codes-from 接受过去某年的名录，使此后终止的基金不再缺失。",
    "Store this list of a past date and fetch the histories of its codes that are in no list: codes, "
    "or a CSV with the headings code, name and type.": "存下这份过去日期的名录，并取其中不在任何名录里的代码的历史：只写代码，或带 code、name、type 表头的 CSV。",
    "The date of the list of --codes-from.": "--codes-from 的名录的日期。",
    "Fetch the whole history of this fund, even if it was fetched before. Repeatable.": "取这只基金的全部历史，已取过也再取。可重复给出。",
    "Fetch the histories of at most N funds that have none yet [default: FUND_HISTORY_FUNDS_PER_RUN].": "为至多 N 只还没有历史的基金取历史 [默认：FUND_HISTORY_FUNDS_PER_RUN]。",
    "Fetch the histories of funds that have NAVs before this date but not on it.": "为此日之前有净值、当日没有净值的基金取历史。",
    "Skip the market's newest two dates.": "不取全市场最新两日的净值。",
    "Fetch, validate and merge the whole histories of the funds that have none yet.": "为还没有历史的基金取全部历史，校验并合并。",
    "One request per fund, at FUND_REQUESTS_PER_SECOND. Ctrl-C, a crash or a ban loses "
    "nothing: the same command continues with the next fund. Exit code 1 when it stopped "
    "early.": "每只基金一个请求，速度为 FUND_REQUESTS_PER_SECOND。Ctrl-C、崩溃或被封都不会丢失：同一命令从下一只基金继续。提前结束时退出码为 1。",
    "Only these funds, also those fetched before.": "只取这些基金，取过的也再取。",
    "Only funds of this kind, such as mixed or 混合型.": "只取这一类基金，如 mixed 或 混合型。",
    "Funds of this type alone, such as 混合型-偏债.": "只取这一类型的基金，如 混合型-偏债。",
    "Also funds last requested before this date.": "自此日起没有请求过的基金也取。",
    "The same, with the date of 28 days ago.": "同上，自 28 天前起。",
    "Show which funds lack dates of the last sessions, by how often each publishes.": "按各基金自己的披露节奏，显示最近各交易日缺哪些日期。",
    "A daily fund lacks each session between two of its NAVs, a weekly one its week; a "
    "session on which its kind does not publish is not missing. A money-market fund lacks "
    "every calendar day whose income none of its figures covers. The sensor `repair_sensor` "
    "requests these funds once a day. Dates that lost accepted NAVs come first. Exit code 1 "
    "when a date is missing that the source may still have, or rows were lost.": "每日披露的基金缺其两次净值之间的交易日，每周披露的缺整周；该类基金休息的交易日不算缺。货币基金缺的是没有任何收益数字覆盖的自然日。传感器 `repair_sensor` 每天请求一次这些基金。已接受的净值消失的日期排在最前。有日期缺失而数据源可能还有，或有行消失时，退出码为 1。",
    "Also dates that are missing at the source.": "数据源也没有的日期也显示。",
    "Fetch the histories of these funds now.": "现在就请求这些基金的历史。",
    "Validate the collected data by the rules and merge what passes.": "按规则校验采集到的内容，合并通过的部分。",
    "A batch that a blocking rule stops changes nothing. The newest wave is validated again "
    "next time; a wave replaced by a later one is not.": "被拦截规则挡住的批次不改变任何内容。最新的波次下次再校验；已被后来的波次取代的不再校验。",
    "Show the metrics of a fund; without CODE, compute those of every fund.": "显示一只基金的指标；不给 CODE 则计算所有基金的指标。",
    "Show what a fund is, its benchmark and size, whether it can be bought, and its life.": "显示一只基金是什么、业绩比较基准、规模、能否申购和它的存续经历。",
    "CODE is as for `nav`. Computing reads the accepted history and is safe to run again.": "CODE 的写法同 `nav`。计算只读取已接受的历史，可放心重复运行。",
    "Check whether the source answers as the evening run needs it; nothing is stored.": "查看数据源是否能像晚上需要的那样回答；不保存任何内容。",
    "Show how fresh, complete and valid the data is, and what ran.": "显示数据有多新、多全、多可靠，以及运行过什么。",
    "Exits with 1 when something is wrong: old or missing data, a held batch, a failed run or check, "
    "a silent daemon, a full disk.": "有问题时退出码为 1：数据过旧或缺失、批次被拦截、运行或检查失败、守护进程没有心跳、磁盘已满。",
    "Print JSON instead of panels.": "输出 JSON，而不是面板。",
    "Refresh every so many seconds [10], until Ctrl-C.": "每隔这么多秒 [10] 刷新一次，直到 Ctrl-C。",
    "Show the log of the collector (runs), the scheduler (the daemon) or the health server.": "显示采集器（各次运行）、调度器（守护进程）或健康服务的日志。",
    "The files are in FUND_STATE/<source>/logs, one a day.": "文件在 FUND_STATE/<source>/logs，每天一个。",
    "Keep showing new lines.": "继续显示此后写入的内容。",
    "Start with the newest N lines.": "先显示最新的 N 行。",
    "Show the history of a fund, the newest date last.": "显示一只基金的历史，最新的日期在最后。",
    "CODE has six digits. A part of a name, or the beginning of a pinyin abbreviation, lists "
    "the funds that match.": "CODE 是六位代码。写名称的一部分或拼音缩写的开头，则列出相符的基金。",
    "As it was known at this time in Shanghai: YYYY-MM-DD (the end of that day) or 'YYYY-MM-DD "
    "HH:MM'.": "以北京时间此刻所知为准：YYYY-MM-DD（当日结束时）或 'YYYY-MM-DD HH:MM'。",
    "Skip older dates.": "不显示更早的日期。",
    "The newest N dates, 0 for all [default: 20; all with --csv].": "最新的 N 个日期，0 为全部 [默认：20；用 --csv 时为全部]。",
    "CSV with the tables' column names.": "以数据表列名为表头的 CSV。",
    "Show where the total-return index of a fund is proven, and where it is not.": "显示一只基金的总收益指数哪里已证明，哪里没有。",
    "Lists its dividends and splits with their sources. For each step that events and "
    "published growth do not prove together, it shows what these and the accumulated NAV say.": "列出其分红、拆分及来源；对这两者不能共同证明的每一步，列出事件、公布的增长率和累计净值各自的说法。",
    "Skip older steps.": "不显示更早的各步。",
    "Every step, not only the 20 newest that are not proven.": "显示每一步，而不只是最新 20 个未经证明的。",
    "Print the proof as JSON.": "以 JSON 输出证明。",
    "Show the accepted figures that were corrected later, the newest correction last.": "显示已接受后又被更正的数字，最新的更正在最后。",
    "Covers unit NAV, accumulated NAV, growth, income and 7-day yield, each with its old and "
    "new value. A manager must report an error of 0.25 % of the unit NAV, and announce one of "
    "0.5 %. Filling an empty figure is not a correction.": "单位净值、累计净值、增长率、收益和七日年化一视同仁，各列出更正前后的值。误差达单位净值的 0.25% 管理人须报告，达 0.5% 须公告。原本没有而后补上的数字不是更正。",
    "Only this fund.": "只看这只基金。",
    "Seen on this day or later.": "在此日或之后发现的。",
    "Only this legal level: report from 0.25 %, announce from 0.5 %. Repeatable.": "只看此法定级别：report 自 0.25% 起，announce 自 0.5% 起。可重复给出。",
    "Print the corrections as JSON.": "以 JSON 输出更正记录。",
    "Show what the rules held back, and decide about it.": "查看规则隔离了什么，并决定如何处理。",
    "List held rows, the newest last, and how many each rule holds.": "列出被隔离的行，最新的在最后，以及每条规则隔离了多少。",
    "Held in this batch.": "在这个批次里被隔离的。",
    "With this NAV date.": "净值日期为此日的。",
    "Of this kind.": "属于这一类的。",
    "Of this fund.": "属于这只基金的。",
    "Held by this rule.": "被这条规则隔离的。",
    "Rows in this state [default: held].": "处于此状态的行 [默认：held]。",
    "At most N rows, 0 for all; --json always has all.": "至多 N 行，0 为全部；--json 总是全部。",
    "Print the rows as JSON.": "以 JSON 输出各行。",
    "Show a held row and the accepted values around its date, or a blocked batch.": "显示一条被隔离的行及其日期前后已接受的值，或一个被拦截的批次。",
    "ID is as in `quarantine list`; the first characters of a row's id are enough.": "ID 同 `quarantine list` 所示；行的 id 写开头几个字符即可。",
    "Print the row as JSON.": "以 JSON 输出这一行。",
    "Merge held rows into the accepted history, as a separate batch.": "把被隔离的行作为单独一批合并到已接受的历史。",
    "ID is as in `quarantine list`; filters can choose rows instead of ids. A decision covers "
    "the observation: the same fund, date and figures, in every batch and for every rule that "
    "held them; they are not held again. All rows are decided, or none.": "ID 同 `quarantine list` 所示；也可不写 id，用筛选条件选行。一行代表其观测：同一基金、日期和数字，在每个批次里、对每条隔离它的规则都一并决定，此后不再隔离。要么全部生效，要么都不生效。",
    "With the id of a blocked batch, that batch is merged unchanged.": "写被拦截批次的 id，则原样合并该批次。",
    "Print the outcome as JSON.": "以 JSON 输出结果。",
    "Who decides [default: the user of this machine].": "由谁决定 [默认：本机的用户]。",
    "The reason; stored with the rows.": "理由；与这些行一起保存。",
    "Merge although this rule blocks it; stored with the rows.": "虽然这条规则拦截，仍然合并；与这些行一起保存。",
    "Mark held rows as wrong. They stay readable, and are not accepted when seen again.": "把被隔离的行标为错误。仍可查看，再次出现也不会被接受。",
    "With the id of a blocked batch, that batch is rejected: it no longer waits, and nothing "
    "of it is merged.": "写被拦截批次的 id，则驳回该批次：它不再等待，其中任何内容都不合并。",
    "Validate held rows again by today's rules and events, and merge those that pass.": "用现在的规则和事件重新判断被隔离的行，合并通过的行。",
    "Without ids and filters, all of them. Exits with 1 when a blocking rule stops a batch.": "不写 id 和筛选条件则为全部。有批次被拦截规则挡住时退出码为 1。",
    "Compare the metrics of some funds.": "把几只基金的指标并排比较。",
    "Length of the window.": "区间的长度。",
    "Also draw total return and drawdown into this .svg or .png file.": "同时把总收益和回撤画到这个 .svg 或 .png 文件。",
    "List the funds that meet CONDITIONS.": "列出符合 CONDITIONS 的基金。",
    'CONDITIONS is one text, such as "window=3y sharpe_ratio>1 max_drawdown>-20%". All of them must '
    "be true; a fund without a value does not meet a condition on it. Metric names are the columns of "
    "fund_metrics; the default window is 1y. purchasable=yes, fee<0.2%, daily_limit>=10000 and "
    "least_amount<=10 use the newest status, fee and amounts in yuan; a fund without a limit meets "
    "each daily_limit>=. size>2e9 uses net assets in yuan at the newest quarter, manager_tenure>3y the "
    "years of the manager, passes_4433=1 and stars>=4 the newest scores. --sort accepts these names too.": 'CONDITIONS 是一段文字，如 "window=3y sharpe_ratio>1 max_drawdown>-20%"。必须全部符合；没有该值的基金不符合对它的条件。指标名用 fund_metrics 的列名；不写区间则为 1y。purchasable=yes、fee<0.2%、daily_limit>=10000 和 least_amount<=10 问的是最新的申购状态、申购费率和金额（元），不限额的基金符合每个 daily_limit>=。size>2e9 问的是最近季末的规模（元），manager_tenure>3y 问的是经理任职年限，passes_4433=1 和 stars>=4 问的是最新的评分。--sort 也接受这些名字。',
    "Lowest first, as for a fee.": "从低到高排序，如费率。",
    "Highest first.": "从高到低排序。",
    "Write or open the reports: self-contained HTML files.": "生成或打开报告：不依赖任何其他文件的 HTML 文件。",
    "Write the report of a week from stored data, and print its path.": "用已存的数据生成一周的报告，并显示其位置。",
    "ISO week, such as 2026-W47 [default: of today].": "ISO 周，如 2026-W47 [默认：今天所在的周]。",
    "Open it in the browser.": "在浏览器里打开。",
    "Send it to FUND_ALERT_MAIL_TO, even if sent before.": "发送到 FUND_ALERT_MAIL_TO，已发送过也再发。",
    "With --screen, compute how your own screens performed at the last quarter ends, and write a "
    "page of these. Each screen that you try is stored and counts in the correction for luck.": "用 --screen 计算自己的筛选在过去各季度末之后的表现，并另写一页。每个试过的筛选都会记下，并计入对运气的校正。",
    'Walk this screen, such as "window=1y sharpe_ratio>1". Repeatable.': '前推检验这个筛选，例如 "window=1y sharpe_ratio>1"。可重复。',
    "Print the path of the page that shows how past screens performed next.": "显示“过去的筛选后来表现如何”那一页的位置。",
    "Export DATASET to a file for pandas, DuckDB, R or a spreadsheet.": "把 DATASET 导出为文件，供 pandas、DuckDB、R 或电子表格使用。",
    "DATASET is nav (the accepted NAVs), metrics, scores, or another table about funds under its name "
    'without "fund_"; benchmark_index, risk_free_rate, nav_quarantine, collection_batch or publish_log; '
    "calendar (sessions) or definitions (formulas of the measures). Dates are dates, codes stay text, and "
    "the description of every column is included: in Parquet as metadata, in xlsx as a sheet, for CSV as a "
    "file next to it. The file appears only when it is complete.": "DATASET 是 nav（已接受的净值）、metrics、scores，或其他关于基金的表，名称不带“fund_”；benchmark_index、risk_free_rate、nav_quarantine、collection_batch 或 publish_log；calendar（交易日历）或 definitions（指标公式）。日期是日期，代码是文本，每一列的含义一并带上：Parquet 里作为元数据，xlsx 里作为一张工作表，CSV 则在旁边另存一个文件。文件完整后才出现。",
    "Begin a CSV with a byte-order mark, for Excel.": "CSV 以字节顺序标记（BOM）开头，供 Excel 识别中文。",
    "The name and type of each fund next to its code [default: in xlsx].": "代码旁边写上基金的名称和类型 [默认：xlsx 里写]。",
    "Money-market funds have yield_7d, mean_yield_7d over the window and yield_per_10k, as in fund-assets "
    'screen "mean_yield_7d>1.5%" --kind money --sort yield_7d.': '货币基金有 yield_7d（七日年化）、区间内的 mean_yield_7d（平均七日年化）和 yield_per_10k（万份收益），如 fund-assets screen "mean_yield_7d>1.5%" --kind money --sort yield_7d。',
    "File format [default: by the ending of --out, else parquet].": "写成什么格式 [默认：按 --out 的扩展名，否则为 parquet]。",
    "Skip newer dates.": "不含更晚的日期。",
    "Only these funds: codes separated by commas, or @FILE with codes in it.": "只要这些基金：代码之间用逗号分开，或 @FILE 表示代码在文件里。",
    "The file [default: DATASET.FORMAT in this folder].": "输出文件 [默认：当前目录的 DATASET.FORMAT]。",
    "Only what changed since an earlier export, which printed this cursor.": "只要自某次导出以来的变更：填那次导出打印的游标。",
    "Each export prints a cursor. With --changed-since and that cursor, the next one has the rows that "
    "changed, and a second file, DATASET.tombstones.FORMAT, names what was deleted.": "每次导出都会打印一个游标。下一次用 --changed-since 加这个游标，就只有变化的行，另有一个文件 DATASET.tombstones.FORMAT 说明删除了什么。",
    "Replace an existing file.": "覆盖已有的文件。",
    "Serve the status page, /health and /metrics over HTTP.": "通过 HTTP 提供状态页、/health 和 /metrics。",
    "Any address but loopback needs FUND_HEALTH_TOKEN. The paths: docs/health.md.": "除回环地址外，任何地址都需要 FUND_HEALTH_TOKEN。各路径见 docs/health.md。",
    "Address to listen on.": "监听的地址。",
    "Port.": "端口。",
    "Show or enter the risk-free rate, a series of dated rates.": "显示或录入无风险利率：一串带日期的利率。",
    "Show the rates, and from when each applies.": "显示各利率及其生效日期。",
    "Enter the annual RATE that applies from DATE, as a fraction: 0.015 is 1.5 %.": "录入自 DATE 起生效的年利率 RATE，写成小数：0.015 即 1.5%。",
    "The next `fund-assets metrics` uses it. The first rate applies before its date too.": "下一次 `fund-assets metrics` 就会使用。第一个利率在其日期之前也适用。",
    "The source of the rate; stored with it.": "利率的出处；与它一起保存。",
    "Create the warehouse and print its location. `run` also creates it when it is missing.": "建立数据仓库并说明其位置。没有仓库时 `run` 也会建立。",
    "Upgrade the tables of an older release, with all their data.": "把旧版本的数据表连同其中所有内容升级到当前版本。",
    "First stop the daemon and the web server, and back up the warehouse.": "升级前请停止守护进程和网页服务，并备份仓库。",
    "Succeed when there are no tables yet.": "还没有数据表时也正常结束。",
    "Wait this long for a database that does not answer yet [default: 0].": "数据库尚无应答时等待这么久 [默认：0]。",
    "Copy all tables from SRC to DST, and verify that both are equal.": "把所有表从 SRC 复制到 DST，并证明两边内容相同。",
    "SRC and DST are SQLAlchemy URLs, as in FUND_WAREHOUSE_URL, or env:NAME for the variable "
    "that holds one, so that no password is on the command line. DST is created; it must be "
    "empty. Programs that write to SRC wait until the copy is done; reading continues. The "
    "same command resumes an interrupted copy. Exits with 1 when the two differ.": "SRC 和 DST 是 SQLAlchemy URL，同 FUND_WAREHOUSE_URL；或写 env:NAME 表示存放它的变量，这样命令行里不出现密码。DST 会被建立，其中不得有其他内容。写入 SRC 的程序要等复制完成；读取照常进行。同一命令可继续中断的复制。两边不同时退出码为 1。",
    "Check settings, source, database, calendar and Dagster; say what to do.": "检查设置、数据源、数据库、日历和 Dagster，并说明该怎么做。",
    "Exits with 1 when something must be fixed.": "有需要处理的问题时退出码为 1。",
    "Also check thoroughly: the tables and their constraints, the columnar reader, the whole "
    "database for damage (a minute for 20 million NAVs), and akshare's JavaScript engine.": "再作彻底检查：各表及其条件、列式读取、通读整个数据库查找损坏（两千万条净值约一分钟），以及 akshare 的 JavaScript 引擎。",
    "Show, correct or extend the exchange's trading calendar.": "显示、更正或延长交易所的交易日历。",
    "Show the sessions of a YEAR [default: this one], its holidays, and entered days.": "显示 YEAR 年 [默认：今年] 的交易日、节假日和录入的日子。",
    "After the last announced day every weekday counts as a session, and is marked provisional.": "最后一个已公布的日子之后，每个工作日都当作交易日，并标为暂定。",
    "Enter whether the exchange trades on DATE, such as 2027-01-04.": "录入交易所在 DATE 是否交易，如 2027-01-04。",
    "Enter days after the calendar's end one by one, so that none is guessed.": "日历终点之后的日子须逐日录入，不作猜测。",
    "Who enters it and why; stored with the day.": "由谁录入及其理由；与该日一起保存。",
    "Add newly announced sessions from every source that has them.": "从各数据源加入新公布的交易日。",
    "The sources are Sina, the Shenzhen exchange's page and akshare's list. Each must agree "
    "with every session known since 2005, have a possible number of days, and agree with the "
    "others; otherwise nothing is added.": "来源是新浪、深圳证券交易所的页面和 akshare 的列表。各来源须与 2005 年以来所有已知交易日一致，天数合理，且彼此一致；否则什么也不加入。",
    "Read the yearly notices on holidays from FILE, or - for standard input.": "从 FILE 读取每年的放假通知，- 表示标准输入。",
    "A FILE holds one or more notices as they are published, as text or as the saved page: "
    "国务院办公厅关于…年部分节假日安排的通知, the exchange's 关于…年部分节假日休市安排的通知, and notices that change them (延长, "
    "调整). Weekdays, lengths and holidays are checked against each other. If both kinds are "
    "given, they must agree; the notice must also agree with days that are already known. "
    "Otherwise nothing is entered.": "FILE 里是一份或多份按发布原样的通知，可为文本或保存的网页：国务院办公厅关于…年部分节假日安排的通知、交易所的关于…年部分节假日休市安排的通知，以及修改它们的通知（延长、调整）。星期、天数和节假日会互相核对。两种通知都有时必须一致，已知的日子也必须与通知一致；否则什么也不录入。",
    "Change days entered before when the notices differ.": "通知与先前录入的日子不同时，以通知为准。",
    "Show, test, silence and resend alerts. docs/alerts.md describes them.": "查看、测试、静默和重发告警。说明见 docs/alerts.md。",
    "Show active alerts, their silences, and messages that were not sent.": "显示仍然成立的告警、静默它们的设置，以及没有发出的消息。",
    "The last line is the verdict of the dashboard, from current facts. Exits with 1 when "
    "that is not healthy.": "最后是与状态面板相同的结论，依据当前事实。不健康时退出码为 1。",
    "Also show alerts that are over.": "已结束的也显示。",
    "Send a test message over every configured channel, now.": "现在就向设置里的每个渠道发送测试消息。",
    "Exits with 1 when a channel does not accept it.": "有渠道没有接受时退出码为 1。",
    "Only this channel.": "只测试这个渠道。",
    "Stop sending an alert for a while.": "让一个告警在一段时间内不再通知。",
    "FINGERPRINT is one that `alert list` shows, or the name of a kind, such as freshness.": "FINGERPRINT 是 `alert list` 所示的一个，或一类告警的名称，如 freshness。",
    "How long: 30m, 4h, 2d or 1w.": "多久：30m、4h、2d 或 1w。",
    "Who silences it and why; stored with it.": "由谁静默及其理由；与它一起保存。",
    "End a silence early.": "提前结束静默。",
    "Send messages again that were given up: MESSAGE, or all of them.": "把已放弃的消息重新放入发件箱：MESSAGE 一条，或全部。",
    "Check the platform from outside Dagster, and send alerts as the alert sensor does.": "在 Dagster 之外查看有什么问题，并像告警传感器那样通知。",
    "A stopped daemon cannot report itself. With --once, exits with 1 when a critical alert "
    "is active or a message could not be delivered. FUND_WATCH_PING_URL: see docs/alerts.md.": "守护进程不能通知自己已停止。用 --once 时，有严重问题或消息不能送出则退出码为 1。FUND_WATCH_PING_URL：见 docs/alerts.md。",
    "Check once and exit: for cron or a systemd timer.": "只看一次就结束：供 cron 或 systemd 定时器使用。",
    "Pause between two checks.": "两次查看之间的间隔。",
}
