"""Write a bill as 数电票 XML. All of it is synthetic."""

from tests.samples.bill import Bill, Row, capitals


def _tag(name: str, text: str, *, sparse: bool = False) -> str:
    if not text:
        return "" if sparse else f"<{name}/>"
    return f"<{name}>{text.replace('&', '&amp;').replace('<', '&lt;')}</{name}>"


def _label(name: str, code: str, text: str) -> str:
    return f"<{name}><LabelCode>{code}</LabelCode><LabelName>{text}</LabelName></{name}>"


def _row(row: Row, bill: Bill) -> str:
    from decimal import Decimal

    optional = "" if bill.sparse else _tag("SpecMod", row.spec) + _tag("MeaUnits", row.unit)
    optional += "" if bill.sparse else _tag("Quantity", row.quantity) + _tag("UnPrice", row.price)
    total = str((Decimal(row.net) + Decimal(row.tax)).quantize(Decimal("0.01")))
    return (
        "<IssuItemInformation>" + _tag("ItemName", row.item) + optional + _tag("Amount", row.net)
        + _tag("TaxRate", row.rate) + _tag("ComTaxAm", row.tax) + _tag("TotaltaxIncludedAmount", total)
        + _tag("TaxClassificationCode", row.code) + "</IssuItemInformation>"
    )  # fmt: skip


def xml(bill: Bill) -> bytes:
    """Write the tree."""
    net, tax, gross = bill.totals
    mark = bill.mark or ("N" if bill.red_of else "Y")
    red = f"<RedEInvoice>{_tag('OriginalInvoiceCode', bill.red_of)}<CreditNoteNumber>50012609000000000001"
    red = red + "</CreditNoteNumber></RedEInvoice>" if bill.red_of and not bill.sparse else ""
    seller = f"<SellerIdNum>{bill.seller[0]}</SellerIdNum>{_tag('SellerName', bill.seller[1])}"
    buyer = f"<BuyerIdNum>{bill.buyer[0]}</BuyerIdNum>{_tag('BuyerName', bill.buyer[1])}"
    buyer += "" if bill.sparse else "<BuyerTelNum/><BuyerAddr/>"
    text = f"""<?xml version="1.0" encoding="utf-8" standalone="yes"?>
<EInvoice>
  <Header>
    <EIid>{bill.eiid or bill.number}</EIid><EInvoiceTag>SWEI5000</EInvoiceTag><Version>{bill.version}</Version>
    <InherentLabel>{_label("InIssuType", mark, "是否蓝字发票标志")}{_label("EInvoiceType", "01", "电子发票")}
      {_label("GeneralOrSpecialVAT", "01", "增值税专用发票")}{_label("TaxpayerType", "1", "一般纳税人")}</InherentLabel>
  </Header>
  <EInvoiceData>
    <SellerInformation>{seller}</SellerInformation>
    <BuyerInformation>{buyer}</BuyerInformation>
    <BasicInformation><TotalAmWithoutTax>{net}</TotalAmWithoutTax><TotalTaxAm>{tax}</TotalTaxAm>
      <TotalTax-includedAmount>{gross}</TotalTax-includedAmount>
      <TotalTax-includedAmountInChinese>{bill.capitals or capitals(gross)}</TotalTax-includedAmountInChinese>
      <Drawer>合成</Drawer><RequestTime>{bill.issued}</RequestTime></BasicInformation>
    {"".join(_row(row, bill) for row in bill.rows)}
    <SpecificInformation>{red}</SpecificInformation>
    <AdditionalInformation>{_tag("Remark", bill.remark, sparse=bill.sparse)}</AdditionalInformation>
  </EInvoiceData>
  <TaxSupervisionInfo>{_tag("InvoiceNumber", bill.number)}<IssueTime>{bill.issued}</IssueTime>
    <TaxBureauCode>15000000000</TaxBureauCode></TaxSupervisionInfo>
  <TaxBureauSignature><SignatureAlgorithm>1.2.156.10197.1.501</SignatureAlgorithm>
    <SignatureFormat>DETACH</SignatureFormat>{_tag("SignatureValue", bill.signature)}</TaxBureauSignature>
</EInvoice>
"""
    return text.encode()
