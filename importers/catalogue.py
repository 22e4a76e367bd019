"""The catalogue of problem codes: how grave each is, what is wrong and what the uploader does next."""

from collections.abc import Mapping
from dataclasses import dataclass

from voucher.problem import Severity


@dataclass(frozen=True, slots=True)
class Entry:
    """severity as in Problem; wrong: what is wrong; advice: what to do next. Both may name {column}, {value}, …"""

    severity: Severity
    wrong: str
    advice: str


def _file(wrong: str, advice: str) -> Entry:
    return Entry("blocking", wrong, advice)


def _row(wrong: str, advice: str) -> Entry:
    return Entry("error", wrong, advice)


def _note(wrong: str, advice: str) -> Entry:
    return Entry("warning", wrong, advice)


_RESOLVED = "原件无误的，由经办人员核定（cvl invoice show {invoice_number} 列出可用的命令）"
CATALOGUE: Mapping[str, Entry] = {
    # the file as a whole
    "not_a_spreadsheet": _file(
        "这个文件不是可以读取的表格或发票{detail}",
        "表格请用 Excel 打开后另存为 xlsx 或 csv，发票请向开票平台下载数电票 XML、OFD 或 PDF，再上传",
    ),
    "empty_file": _file("文件是空的", "请重新填写、导出或下载后上传"),
    "no_rows": _file("表头下面没有任何数据行", "请逐行填写发票后重新上传"),
    "missing_columns": _file("缺少这些列：{value}", "请补上这些列，或改用最新模板、重新导出后上传"),
    "unknown_header": _file(
        "表头不是已知的格式，缺少这些列：{value}（猜测：{guesses}）",
        "请使用最新模板；要照原表上传，请由经办人员建立一次对应关系（cvl import map），"
        "已为这一服务商建立的，导入时请写明服务商（--provider）",
    ),
    "header_not_found": _file(
        "前10行里没有认得的表头，看不出这是哪一种表", "发票请填写最新模板后上传；说明文字或其他资料不用上传"
    ),
    "duplicate_columns": _file("这些列名重复出现：{value}", "请每个列名只保留一列后重新上传"),
    "export_sheets_repeat": _file(
        "发票{value}在工作表“{sheet}”和“{other}”里各有一份，价税合计相同，不知道哪一张是合计、哪一张是明细",
        "请把每张票只有一行合计的工作表改名为“发票基础信息”，或删去重复的一张后重新上传",
    ),
    "undecodable_text": _file(
        "文件的文字编码无法识别（既不是 UTF-8 也不是 GB18030）", "请用 Excel 另存为“CSV UTF-8（逗号分隔）”后重新上传"
    ),
    "unterminated_quote": _file(
        "第{row}行的双引号没有成对，后面的内容无法分辨", "请补上或删去这一行多余的双引号后重新上传"
    ),
    "record_too_long": _file(
        "第{row}行附近有一行或一个单元格过长", "请检查是否缺少换行或双引号没有成对，改正后重新上传"
    ),
    "too_many_columns": _file("列数超过{limit}列", "请删去多余的列后重新上传"),
    "too_many_rows": _file("行数超过{limit}行", "请拆成几个文件分别上传"),
    "too_many_sheets": _file("工作簿有{value}张工作表，超过上限{limit}", "请只保留要上传的工作表"),
    "too_many_cells_in_sheet": _file(
        "工作表占用的区域过大（{value}个单元格，上限{limit}个）",
        "请删去数据以外的单元格，或另存为 csv 后重新上传",
    ),
    "repeated_text": _file(
        "工作簿里有过长的文字（{value}字节）被大量重复引用", "请缩短这些文字，或另存为 csv 后重新上传"
    ),
    "file_too_large": _file("文件有{value}，超过上限{limit}", "请拆成几个文件上传；单张发票请重新下载原件"),
    "zip_bomb": _file(
        "文件解开后异常庞大（{value}）", "表格请用 Excel 重新另存为 xlsx，发票请向开票平台重新下载原件，再上传"
    ),
    "zip_path": _file(
        "文件内部有不安全的文件名：{value}", "表格请用 Excel 重新另存为 xlsx，发票请向开票平台重新下载原件，再上传"
    ),
    "zip_encrypted": _file("文件加了密码", "请取消密码后重新上传"),
    "zip_broken": _file("文件已损坏或不完整，打不开", "请重新导出、下载或打包后上传，表格可用 Excel 另存为 xlsx"),
    "doctype_refused": _file(
        "文件内含有不允许的 DOCTYPE 或 ENTITY 声明（{value}）", "请用 Excel 重新另存，或向开票平台重新下载原件"
    ),
    "old_excel": _file("这是旧版 .xls 文件或加了密码的文件", "请用 Excel 打开，另存为不带密码的 xlsx 后重新上传"),
    # one cell
    "required": _row("“{column}”没有填写", "请补填后重新上传这一行"),
    "number_lost": _row(
        "“{column}”被 Excel 当作数字保存（显示为{value}），开头的零或尾部数字可能已经丢失",
        "请先把该列设为文本格式，再照原件重新填写完整号码",
    ),
    "formula_error": _row("“{column}”里的公式出错或没有结果：{value}", "请改正公式，或直接填入内容后重新上传这一行"),
    "merged_cells": _row("“{column}”与上面的行合并了单元格：{value}", "请取消合并，每行各填各的数，整张重新上传"),
    "bad_invoice_number": _row(
        "“{column}”不是有效的发票号码：{value}",
        "请填写20位数电票号码，或“发票代码-发票号码”（10或12位代码、一个减号、8位号码）",
    ),
    "bad_choice": _row("“{column}”不能填“{value}”", "请改为以下之一：{choices}"),
    "bad_day": _row("“{column}”不是有效日期：{value}", "请写成 2026-08-01 这样的日期，或把单元格格式改为日期"),
    "bad_amount": _row(
        "“{column}”不是有效金额：{value}", "请填写以元为单位、最多两位小数的数字，例如 1234.56 或 1,234.56"
    ),
    "amount_too_large": _row("“{column}”的金额过大：{value}", "请核对单位是否为元，并改为小于1000亿元的金额"),
    "bad_uscc": _row("“{column}”不是有效的统一社会信用代码：{value}", "请照营业执照核对18位代码后重新填写"),
    "uscc_organisation_digit": _note(
        "“{column}”中第9至17位组织机构代码的校验位不符：{value}", "请照营业执照核对一遍，确认无误可不处理"
    ),
    "bad_tax_code": _row("“{column}”不是19位税收分类编码：{value}", "请照发票填写完整的19位编码"),
    "bad_percent": _row(
        "“{column}”不是有效比例：{value}", "请写成 0 至 100 之间、最多两位小数的百分比，例如 30 或 30%"
    ),
    "bad_account": _row("“{column}”不是有效的账号：{value}", "请只填写数字或字母，共4至40位"),
    "bad_rate": _note("“{column}”无法识别：{value}", "请写成 6%、免税或不征税，本次不用税率核对税额"),
    "clearing_no_differs": _note("“{column}”不是12位数字：{value}", "请向开户银行核对，有误会被退回付款"),
    "bad_number": _row("“{column}”不是有效数量：{value}", "请填写最多10位小数的数字"),
    "bad_character": _row("“{column}”含有竖线、换行或其他控制字符：{value}", "请删去这些字符后重新上传这一行"),
    "text_too_long": _row("“{column}”超过{limit}个字", "请缩短后重新上传这一行"),
    "unknown_template_version": _row(
        "“{column}”不是本系统认识的模板版本：{value}", "请下载最新模板，模板版本填 CQ-COMPUTE-1"
    ),
    # one row
    "not_a_line": _row("这一行没有发票号码，也没有金额", "是落款或说明的请删去，是明细的请补填后重新上传"),
    "too_few_cells": _row("这一行只有{value}格，表头有{width}列", "请补齐缺少的单元格（空的也要保留分隔符）"),
    "too_many_cells": _row("这一行有{value}格，表头只有{width}列", "请检查是否多了分隔符，含逗号的内容要加双引号"),
    "span_reversed": _row("服务截止日（{value}）早于服务起始日（{start}）", "请对调或更正这两个日期"),
    "span_half_given": _row("服务起始日和服务截止日只填了一个", "请把“{column}”也填上，或两个都留空"),
    "span_too_long": _row("服务期间超过10年（{start}至{value}）", "请核对服务起始日和服务截止日的年份"),
    "issued_in_future": _row("开票日期（{value}）晚于今天（{today}）", "请核对开票日期"),
    "day_ahead": _row("“{column}”（{value}）晚于今天（{today}）", "请核对这个日期"),
    "sum_differs": _row("不含税金额{net}元加税额{tax}元等于{sum}元，与价税合计{value}元不符", "请照发票核对这三个金额"),
    "tax_rate_differs": _note(
        "税额{value}元与不含税金额乘税率{expected}元相差超过0.05元",
        "请照发票核对税率和税额，确认无误可不处理",
    ),
    "red_needs_original": _row(
        "红字发票没有填写原发票号码",
        "请在“原发票号码”填写被冲红的蓝字发票号码；没有这一列的，在备注里写“被红冲蓝字数电发票号码：”和号码",
    ),
    "red_not_negative": _row("红字发票的金额应为负数，现为{value}元", "请把不含税金额、税额和价税合计都填为负数"),
    "blue_negative": _row("蓝字发票的价税合计为负数（{value}元）", "请核对金额，如是冲红请改为红字发票"),
    "paid_sign": _row(
        "已付金额合计{value}元与发票类型不符", "蓝字发票请填实际已付的金额，红字发票请填退款的负数，没有的留空"
    ),
    "same_party": _row("供方和用方是同一个统一社会信用代码：{value}", "请照发票分别填写销售方和购买方的代码"),
    "parties_swapped": _row(
        "供方和用方填反了：{value}只在企业名单上，另一方只在服务商名单上", "请把这两列的统一社会信用代码对调"
    ),
    # the invoice and the file
    "header_fields_differ": _row("同一发票号码的各行“{column}”不一致", "请让同一张发票各行的这一列完全相同"),
    "identical_rows": _row("这一行与第{other_row}行完全相同", "请删去重复的一行；如确是两条相同明细，请合并为一行"),
    "sibling_row_failed": _row("同一张发票的第{other_row}行有错误，整张发票未受理", "请改正那一行后把整张发票重新上传"),
    "other_sheet_ignored": _note(
        "工作表“{value}”里也有内容，本次没有读取", "如其中有要申报的内容，请另存为单独的文件上传"
    ),
    # against the books
    "not_the_uploader": _row("供方（{value}）不是上传这个文件的服务商", "请只上传本单位开具的发票"),
    "unknown_company": _row("用方（{value}）不在支持企业名单内", "请核对用方统一社会信用代码，或请企业先申请认定"),
    "not_listed": _note("供方（{value}）从未列入算力服务商名单", "发票已受理但暂不计入补贴，请先申请入库"),
    "name_differs": _note(
        "“{column}”与登记的名称“{registered}”不同：{value}", "以统一社会信用代码为准，确认无误可不处理"
    ),
    "tax_code_not_supported": _note(
        "税收分类编码{value}不在支持范围内，{what}不计入补贴", "请照发票核对编码，确认无误可不处理"
    ),
    "past_claim_deadline": _row(
        "申报日{received}已超过服务所属年度的申报截止日，整张发票不能受理", "如有异议请联系市大数据发展局"
    ),
    "red_exceeds_blue": _row("红字金额累计超过蓝字发票{original}的金额", "请核对红字金额和原发票号码"),
    "original_is_red": _row("原发票{value}也是红字发票", "请在“原发票号码”填写被冲红的蓝字发票号码"),
    "red_parties_differ": _row(
        "红字发票与原发票{original}的供方或用方不一致", "请核对原发票号码以及双方的统一社会信用代码"
    ),
    "original_missing": _note(
        "原发票{value}还没有受理",
        "发票已暂存，请上传这张蓝字发票，受理后会自动处理；号码写错的请改正原发票号码后重新上传，"
        "蓝字发票已全额红冲、从未申报的不用再办",
    ),
    "service_span_missing": _note(
        "没有服务起始日和服务截止日",
        "发票已暂存，请在模板中补填服务期间后上传同一发票号码，或照原文件再上传一次并指明服务月份（--service-month）",
    ),
    "tax_codes_missing": _note("单据上没有税收分类编码", "发票已暂存，请上传同一发票的数电票 XML 或模板行"),
    "duplicate_invoice": _note("发票{value}已经受理过，内容相同", "无需再次上传"),
    "conflict_invoice": _row(
        "发票{value}已经受理过，但这次的内容不同（{detail}）",
        "请核对原件；如已冲红重开，请上传红字和新发票；"
        "要定以哪一份为准的，由经办人员核定（cvl invoice show {invoice_number} 列出可用的命令）",
    ),
    # documents: 数电票 XML, OFD, PDF, the tax bureau's export, bundles
    "document_broken": _file("文件已损坏，读不出内容", "请向开票平台重新下载原件后上传"),
    "document_encrypted": _file("文件加了密码", "请取消密码，或向开票平台重新下载原件后上传"),
    "parser_stopped": _file(
        "读取这个文件耗费过多（{value}），已停止", "请向开票平台重新下载原件，仍不行请改传数电票 XML"
    ),
    "paper_too_large": _file("文件过大（{value}）", "请向开票平台重新下载原件后上传"),
    "xml_broken": _file("这个 XML 不完整或已被改动，读不出内容", "请向电子税务局重新下载数电票 XML 后上传"),
    "unknown_xml": _file("这个 XML 不是完整的数电票（最外层是“{value}”）", "请上传数电票 XML；表格请另存为 xlsx"),
    "nothing_in_document": _file(
        "文件里没有可以读取的发票数据", "请上传同一发票的数电票 XML 或 OFD，或在模板中填写这张发票"
    ),
    "several_invoices_in_document": _file("一个文件里有多张发票：{value}", "请每张发票单独一个文件上传"),
    "nested_too_deep": _file("压缩包套了过多层", "请把里面的压缩包解开后直接上传"),
    "member_encrypted": _file("压缩包内的这个文件加了密码", "请取消密码后重新打包上传"),
    "member_path": _file("压缩包内的文件名不安全：{value}", "请改用普通文件名重新打包上传"),
    "member_too_large": _file("压缩包内的这个文件解开后异常庞大（{value}）", "请单独上传这个文件的原件"),
    "too_many_members": _file("文件个数超过{limit}个", "请分成几个压缩包或文件夹上传"),
    "element_repeated": _row("XML 里只应有一处的内容出现了多处（{value}）", "请向电子税务局重新下载数电票 XML 后上传"),
    "eiid_differs": _note(
        "XML 文件头里的号码{value}与发票号码不同", f"发票已暂存待核，请向电子税务局重新下载原件后上传；{_RESOLVED}"
    ),
    "number_rounded": _note(
        "发票号码{value}以00000结尾，多半是 Excel 把它当作数字保存，尾部数字已经丢失",
        f"发票已暂存待核，请照发票改正号码后重新上传，号码确是这样的请改传这张发票的数电票 XML；{_RESOLVED}",
    ),
    "number_from_header": _note(
        "XML 的税务监管信息里没有发票号码，暂用文件头里的号码{value}", "请照发票核对号码，确认无误可不处理"
    ),
    "number_year_differs": _note("发票号码{value}前两位与开票年份{year}不符", "请照发票核对号码，确认无误可不处理"),
    "unknown_version": _note("数电票版本未曾见过（{value}）", "已按现有规则读取，请核对各项金额，确认无误可不处理"),
    "red_mark_missing": _note("XML 没有标明蓝字或红字（{value}）", "已按金额正负判断，请核对发票类型"),
    "red_mark_differs": _row("蓝字、红字标志与价税合计{value}元的正负不符", "请向开票平台重新下载原件后上传"),
    "bad_total": _row("单据上的“{column}”没有或不是有效金额：{value}", "请向开票平台重新下载原件后上传"),
    "header_sum_differs": _row(
        "合计金额{net}元加合计税额{tax}元不等于价税合计{value}元", "请向开票平台重新下载原件后上传"
    ),
    "lines_sum_differs": _row("各行金额相加为{value}元，与合计金额{total}元不符", "请向开票平台重新下载原件后上传"),
    "line_taxes_differ": _row("各行税额相加为{value}元，与合计税额{total}元不符", "请向开票平台重新下载原件后上传"),
    "line_taxes_rounded": _note("各行税额四舍五入后相加为{value}元，以合计税额{total}元为准", "确认无误可不处理"),
    "line_gross_differs": _note(
        "这一行的价税合计{value}元与金额加税额{sum}元不符", "以金额和税额为准，确认无误可不处理"
    ),
    "no_lines": _note("XML 里没有明细行", "请上传带明细的数电票 XML 或模板行"),
    "capitals_differ": _row("大写金额“{value}”（{said}元）与价税合计{figure}元不符", "请向开票平台重新下载原件后上传"),
    "capitals_unreadable": _note("大写金额无法识别：{value}", "请照发票核对价税合计，确认无误可不处理"),
    "places_differ": _row("文件内两处的“{column}”不同：{value}与{other}", "请向开票平台重新下载原件后上传"),
    "qr_only": _note(
        "单据没有明细，号码、日期或金额取自二维码（{value}）",
        "发票已暂存待核，请上传同一发票的数电票 XML 或模板行",
    ),
    "qr_differs": _note(
        "二维码里的“{column}”是{value}，与 PDF 所载的{other}不同",
        f"请向开票平台重新下载原件后上传；{_RESOLVED}",
    ),
    "reversed_blue": _row("发票状态为“{value}”，全额红冲的蓝字发票不能申报", "请上传新发票；早已受理的请传其红字发票"),
    "partly_reversed": _note("发票状态为“{value}”", "请确认对应的红字发票也在本次或以前上传"),
    "void_invoice": _row("发票状态为“{value}”，作废的发票不能申报", "如已重新开具，请上传新的发票"),
    "risky_invoice": _note("税务风险等级为“{value}”", "请向经办人员说明情况，确认无误可不处理"),
    "export_totals_differ": _note(
        "明细相加为{value}元，与“发票基础信息”中的价税合计{total}元不符",
        f"发票已暂存待核，请重新导出全量发票后上传；{_RESOLVED}",
    ),
    "export_lines_missing": _note("“发票基础信息”中的发票{value}在“信息汇总表”里没有明细", "请重新导出全量发票后上传"),
    "conflict_waiting": _row(
        "发票{value}已有一份暂存的原件，金额或双方与这次不同", f"请照原件核对金额和双方后重新上传；{_RESOLVED}"
    ),
    "evidence_parties_differ": _note(
        "发票{value}受理时的供方或用方与这份单据不同", "请照原件核对双方的统一社会信用代码，并联系经办人员"
    ),
    # usage annexes: FOCUS and the clouds' bills
    "usage_too_many_faults": _file(
        "有错误的用量行超过{limit}行，多半是整列写法不对", "请按前面列出的各行改正导出设置后，重新上传整份文件"
    ),
    "usage_too_many_days": _file("用量按日汇总后超过{limit}条", "请核对使用时间和计量单位，或拆成几个文件分别上传"),
    "usage_overlaps": _file(
        "发票{value}在这些日子已有用量（或计税口径不同），无法判断是补充还是更正",
        "请说明是补充另一部分（--usage add）还是更正并取代以前的（--usage replace）；从门户报送的请交经办人员办理",
    ),
    "usage_same_file": _file("发票{value}早已计有同一份文件的用量", "不必再传；要取代其他用量请用 --usage replace"),
    "usage_replace_faulty": _file("有{count}行用量有错误，不能取代以前的用量", "请改正这些行后，重新上传整份文件"),
    "usage_of_red": _file("用量所属的发票{value}是红字发票", "请把用量记到被冲红的蓝字发票号码上后重新上传"),
    "usage_waited_for_red": _note("发票{value}是红字，暂存的{count}行用量不计入", "请改记到被冲红的蓝字发票后重新上传"),
    "usage_not_yours": _file("用量所属的发票{value}不是上传方开具的", "请只上传本单位发票的用量"),
    "usage_too_large": _file("发票{value}的用量金额合计过大", "请核对金额单位是否为元后重新上传"),
    "usage_number_missing": _row(
        "这一行用量没有发票号码", "请补填发票号码（或用 --invoice 指明整份文件属于哪张发票）后重新上传"
    ),
    "usage_number_bad": _row("“{column}”不是有效的数：{value}", "请导出为不带单位的数字后重新上传"),
    "usage_time_missing": _row("“{column}”没有填写，不知道用量属于哪一天", "请补填使用开始时间后重新上传"),
    "usage_time_bad": _row(
        "“{column}”不是有效的时间：{value}", "请写成 2026-08-01 10:00:00 或 2026-08-01T02:00:00Z 后重新上传"
    ),
    "usage_period_reversed": _row("使用结束时间早于使用开始时间", "请核对“{column}”后重新上传"),
    "usage_period_long": _row("一行用量的期间超过10年", "请核对“{column}”的年份后重新上传"),
    "usage_currency": _row("“{column}”不是人民币：{value}", "请按人民币（{words}）导出后重新上传"),
    "usage_unit_bad": _row("“{column}”过长或含有竖线：{value}", "请改成简短的计量单位后重新上传"),
    "usage_null_written": _note("“{column}”写了“{value}”表示没有内容（共{count}行）", "已按空白处理，无需改动"),
    "usage_time_not_utc": _note(
        "“{column}”没有写成以 Z 结尾的 UTC 时间：{value}（共{count}行）", "已按 UTC 或所写的时区读取，请确认无误"
    ),
    "usage_not_final": _note(
        "账单所在的月份要到次月{day}日才出定稿，这份文件可能不是定稿",
        "请在定稿后重新导出，取代这一份（--usage replace）",
    ),
    "usage_invoice_missing": _note("发票{value}还没有受理（{count}行用量）", "已暂存，请上传这张发票，受理后自动计入"),
    "usage_company_differs": _note(
        "文件里写的使用方{value}不是这张发票的购买方", "请核对用量是否属于这张发票，确认无误可不处理"
    ),
    "usage_outside_span": _note(
        "发票{value}有{yuan}元用量不在服务期间内", "请核对使用时间和服务期间，确认无误可不处理（不影响按日分摊）"
    ),
    "usage_sum_differs": _note(
        "发票{value}的用量合计{metered}元，与发票{basis}{amount}元不符",
        "用量少于发票的，只按用量的部分计补贴（已兑付的会追回），请补交缺少的用量明细；用量多于发票的按发票计，"
        "请核对是否多传了一份",
    ),
    "focus_column_missing": _note("缺少 FOCUS 规定必有的列：{value}", "已按现有的列读取，请在导出设置中补上这些列"),
    "focus_column_unknown": _note("这些列不是 FOCUS 的列，也不以 x_ 开头：{value}", "已略过这些列，无需改动"),
    "focus_charge_category": _row(
        "“ChargeCategory”不能是“{value}”", "请改为 Usage、Purchase、Tax、Credit、Adjustment 之一后重新上传"
    ),
    "focus_charge_class": _row("“ChargeClass”只能为空或 Correction，不能是“{value}”", "请改正后重新上传"),
    "focus_charge_frequency": _note(
        "“ChargeFrequency”不是规定的取值：{value}（共{count}行）",
        "规定为 One-Time、Recurring、Usage-Based，请核对导出设置",
    ),
    "focus_pricing_category": _note(
        "“PricingCategory”不是规定的取值：{value}（共{count}行）",
        "规定为 Standard、Dynamic、Committed、Other，请核对导出设置",
    ),
    "focus_service_category": _note(
        "“ServiceCategory”不是规定的十九个取值之一：{value}（共{count}行）", "请核对导出设置，确认无误可不处理"
    ),
    "focus_not_compute": _note(
        "“ServiceCategory”为“{value}”，不是算力服务（共{count}行）", "请核对发票是否含有不支持的服务，确认无误可不处理"
    ),
    "focus_empty": _note("规定必填的“{column}”是空的（共{count}行）", "已按空白读取，请在导出设置中补上"),
    "focus_billing_period": _row("账期的起止为空或颠倒", "请核对 BillingPeriodStart 和 BillingPeriodEnd 后重新上传"),
    "focus_month_utc": _note(
        "账期按 UTC 的自然月划分，不是北京时间的自然月（共{count}行）",
        "每月首尾各差8小时，用量已按北京时间归日；请与发票的服务期间核对",
    ),
    "focus_month_partial": _note("账期不是一个完整的自然月：{value}（共{count}行）", "请核对账期，确认无误可不处理"),
    "focus_outside_period": _note(
        "使用时间不在账期内，又不是更正（共{count}行）",
        "请核对 ChargePeriodStart 和账期，以前月份的更正应写 Correction",
    ),
    "focus_correction_inside": _note(
        "标为更正（Correction）的行，使用时间却在本账期内（共{count}行）", "请核对 ChargeClass，确认无误可不处理"
    ),
    "focus_quantity_missing": _note(
        "用量行没有“PricingQuantity”（共{count}行）", "已按金额计入，请在导出设置中补上数量"
    ),
    "focus_quantity_of_tax": _note("税额行不应有“PricingQuantity”（共{count}行）", "请核对导出设置，确认无误可不处理"),
    "focus_quantity_negative": _note("数量为负，又不是更正（共{count}行）", "请核对这些行，退量应写 Correction"),
    "focus_cost_negative": _note(
        "用量或购买行的金额为负，又不是更正（共{count}行）", "请核对这些行，退款应写 Correction"
    ),
    "focus_credit_positive": _note("抵扣（Credit）行的金额为正（共{count}行）", "请核对正负号，确认无误可不处理"),
    "focus_unit_missing": _note("有数量而没有“PricingUnit”（共{count}行）", "已按没有单位计入，请在导出设置中补上"),
    "focus_unit_form": _note(
        "计量单位“{value}”不合写法（共{count}行）", "单位应如 GPU-Hours、卡时；算力单位要写明精度，请与服务商核对"
    ),
    "focus_unit_precision": _note(
        "单位“{value}”没有说明精度（共{count}行）", "请在单位或 SkuPriceDetails 中写明 FP16、FP64 或 INT8"
    ),
    "focus_consumed_unit": _note(
        "“ConsumedQuantity”与“ConsumedUnit”只写了一个（共{count}行）", "请核对导出设置，确认无误可不处理"
    ),
    "focus_pricing_currency": _note(
        "计价币种“{value}”与账单币种不同（共{count}行）", "以人民币的 BilledCost 为准，请核对汇率"
    ),
}
"""Code → entry. `docs/` lists this table; a code that is not here cannot be raised."""
